#include "router/filter/type_checker.h"

#include <algorithm>

#include <fmt/format.h>

/// The part of the checker that looks at statements.

namespace tern::filter {

using attr::Value;

Result<void> TypeChecker::check(Function& function) {
    function_ = &function;
    returns_ = function.result_declared;
    Checked checked = statement(*function.body);
    function_ = nullptr;
    return checked;
}

Result<void> TypeChecker::statements(std::span<Statement*> list) {
    for (Statement* s : list) {
        if (Checked checked = statement(*s); !checked) return checked;
    }
    return {};
}

Result<void> TypeChecker::statement(Statement& s) {
    switch (s.kind) {
        case StatementKind::block:
            return statements(s.body);
        case StatementKind::assign:
        case StatementKind::mutate:
            return assignment(s);
        case StatementKind::declare:
            if (s.value == nullptr) return {};
            if (Checked checked = expression(*s.value); !checked) return checked;
            return argument(*s.value, s.variable->type, 2, "=");
        case StatementKind::expression:
            return expression(*s.value);
        case StatementKind::if_:
            if (Checked checked = boolean(*s.value, "if"); !checked) return checked;
            return statements(s.body);
        case StatementKind::case_:
            return case_statement(s);
        case StatementKind::for_:
            return for_statement(s);
        case StatementKind::return_:
            return return_statement(s);
        case StatementKind::unset:
            return writable(*s.target);
        case StatementKind::accept:
        case StatementKind::reject:
        case StatementKind::error:
        case StatementKind::print:
        case StatementKind::printn:
            return expressions(s.values);
        case StatementKind::assert_:
            return boolean(*s.value, "bt_assert");
    }
    return {};
}

Result<void> TypeChecker::writable(const Expression& target) {
    switch (target.kind) {
        case ExpressionKind::variable:
            return {};
        case ExpressionKind::attribute:
            if (attr::has(target.attribute->traits, attr::AttributeTraits::read_only)) {
                return fail_at(target.position, "This attribute is read-only.");
            }
            return {};
        case ExpressionKind::field:
            if (info(target.field).read_only) {
                return fail_at(target.position, "This static attribute is read-only.");
            }
            return {};
        default:
            return fail_at(target.position, "This expression cannot be assigned to");
    }
}

Result<void> TypeChecker::assignment(Statement& s) {
    if (Checked checked = expression(*s.target); !checked) return checked;
    if (Checked checked = writable(*s.target); !checked) return checked;
    const Type wanted = s.target->type;
    if (s.target->kind == ExpressionKind::attribute) {
        const bool opaque =
            attr::has(s.target->attribute->traits, attr::AttributeTraits::unknown_type);
        const bool set = wanted == Type::set || wanted == Type::prefix_set ||
                         wanted == Type::as_path_mask || wanted == Type::route;
        // These borrow from the configuration, which a route may outlive.
        if (opaque || set) {
            return fail_at(s.position, fmt::format("Attributes of type {} cannot be set",
                                                   attr::type_name(wanted)));
        }
    }
    if (Checked checked = expression(*s.value); !checked) return checked;
    return argument(*s.value, wanted, 2, "=");
}

Result<void> TypeChecker::case_statement(Statement& s) {
    if (Checked checked = expression(*s.value); !checked) return checked;
    Intervals all;
    if (is_set_element(s.value->type)) all.type = s.value->type;
    for (CaseBranch& branch : s.branches) {
        const std::size_t first = all.ranges.size();
        for (const SetItem& item : branch.items) {
            if (Checked checked = add_item(item, all); !checked) return checked;
        }
        std::vector<SetInterval> own(all.ranges.begin() + static_cast<std::ptrdiff_t>(first),
                                     all.ranges.end());
        const IntervalSet merged(std::move(own));
        branch.keys = library_.arena().copy<SetInterval>(merged.intervals());
        all.ranges.resize(first);
        all.ranges.insert(all.ranges.end(), branch.keys.begin(), branch.keys.end());
        if (Checked checked = statement(*branch.body); !checked) return checked;
    }
    s.branch_type = all.type;
    std::sort(all.ranges.begin(), all.ranges.end(),
              [](const SetInterval& a, const SetInterval& b) { return a.low < b.low; });
    for (std::size_t i = 1; i < all.ranges.size(); ++i) {
        if (all.ranges[i].low <= all.ranges[i - 1].high) {
            return fail_at(s.position, "Overlaping intervals in switch cases not allowed");
        }
    }
    return {};
}

Result<void> TypeChecker::for_statement(Statement& s) {
    if (Checked checked = expression(*s.value); !checked) return checked;
    const Type element = element_of(s.value->type);
    if (element == Type::void_ && s.value->type != Type::void_) {
        return fail_at(s.value->position, "Type expression in FOR must be an iterable value");
    }
    if (element != Type::void_ && element != s.variable->type) {
        return fail_at(
            s.position,
            fmt::format("Loop variable '{}' in FOR must be of type {}, got {}", s.variable->name,
                        attr::type_name(element), attr::type_name(s.variable->type)));
    }
    return statements(s.body);
}

Result<void> TypeChecker::return_statement(Statement& s) {
    if (function_ == nullptr || function_->is_filter) {
        return fail_at(s.position,
                       "Can't return from a non-function, use accept or reject instead.");
    }
    if (s.value == nullptr) return {};
    if (Checked checked = expression(*s.value); !checked) return checked;
    const Type type = s.value->type;
    if (!function_->result_declared && !returns_ && type != Type::void_) {
        function_->result = type;
        returns_ = true;
        warnings_.push_back(
            {s.position, fmt::format("Inferring function {} return type from its return value: {}",
                                     function_->name, attr::type_name(type))});
        return {};
    }
    const Type wanted = function_->result;
    if (wanted == Type::void_ || type == Type::void_ || type == wanted) return {};
    if (s.value->kind == ExpressionKind::literal && promote(s.value->value, wanted, library_)) {
        s.value->type = wanted;
        return {};
    }
    return fail_at(s.position, fmt::format("Can't return {} from a function that returns {}",
                                           attr::type_name(type), attr::type_name(wanted)));
}

}  // namespace tern::filter
