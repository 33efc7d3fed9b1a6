#include "router/filter/filter.h"

#include "router/filter/vm.h"

namespace tern::filter {
namespace {

constexpr Filter accept_all_filter(Filter::Kind::accept_all);
constexpr Filter reject_all_filter(Filter::Kind::reject_all);
const std::vector<std::string_view> no_tables;

/// Stacks up to this size lie on the machine's own stack; larger ones in the arena.
constexpr std::size_t usual_values = 128;

/// Uninitialised room for values: a run writes each before it reads it.
struct Room {
    alignas(attr::Value) std::byte bytes[usual_values * sizeof(attr::Value)];

    std::span<attr::Value> values(std::size_t count, alloc::Arena& arena) {
        void* const at = count <= usual_values
                             ? static_cast<void*>(bytes)
                             : arena.allocate(count * sizeof(attr::Value), alignof(attr::Value));
        return {static_cast<attr::Value*>(at), count};
    }
};

}  // namespace

const Filter& Filter::accept_everything() {
    return accept_all_filter;
}

const Filter& Filter::reject_everything() {
    return reject_all_filter;
}

std::string_view Filter::name() const {
    switch (kind_) {
        case Kind::accept_all:
            return "ACCEPT";
        case Kind::reject_all:
            return "REJECT";
        case Kind::code:
            break;
    }
    return code_->name.empty() ? std::string_view("(unnamed)") : std::string_view(code_->name);
}

const std::vector<std::string_view>& Filter::roa_tables() const {
    return code_ == nullptr ? no_tables : code_->roa_tables;
}

const std::vector<std::string_view>& Filter::aspa_tables() const {
    return code_ == nullptr ? no_tables : code_->aspa_tables;
}

Verdict Filter::run(RouteView& route, Environment& environment) const {
    if (kind_ != Kind::code) {
        return kind_ == Kind::accept_all ? Verdict::accept : Verdict::reject;
    }
    Room room;
    Machine machine({&route, &environment, route.arena(),
                     room.values(limits_.values, route.arena()), limits_.calls});
    const Verdict verdict = machine.run(*code_);
    if (!machine.error().empty()) {
        environment.runtime_error({machine.code->name, machine.line(), machine.error()});
    }
    return verdict;
}

bool Filter::same_as(const Filter& other) const {
    if (kind_ != other.kind_) return false;
    return kind_ != Kind::code || same_program(*code_, *other.code_);
}

std::uint64_t Filter::hash() const {
    return kind_ == Kind::code ? program_hash(*code_) : static_cast<std::uint64_t>(kind_);
}

bool same_filter(const Filter* a, const Filter* b) {
    if (a == b) return true;
    return a != nullptr && b != nullptr && a->same_as(*b);
}

Result<attr::Value> evaluate(const FunctionCode& code,
                             alloc::Arena& arena,
                             Environment* environment) {
    const StackLimits limits;
    Room room;
    Machine machine({nullptr, environment, arena, room.values(limits.values, arena), limits.calls});
    (void)machine.run(code);
    if (machine.error().empty()) return machine.result;
    return fail_at({0, machine.line(), 0}, machine.error());
}

}  // namespace tern::filter
