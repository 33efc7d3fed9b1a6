#pragma once

/// Makers of option rows: each binds words to a member of the owner's struct.
/// `option::flag<&BgpConfig::passive>("passive", {"off", "never open a session",
/// Effect::restart})`. The owner's struct derives from Block without virtual inheritance. Members
/// may be std::optional. Everything here is constexpr; nothing is allocated or registered.

#include "loops/time.h"
#include "router/base/strong.h"
#include "router/config/parser.h"
#include "router/config/protocol_config.h"
#include "router/config/schema.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace tern::config::option {

struct Info {
    std::string_view default_text;
    std::string_view doc;
    Effect effect = Effect::none;
};

/// Class and type of a data member.
template <class T>
struct MemberOf;

template <class S, class M>
struct MemberOf<M S::*> {
    using Owner = S;
    using Type = M;
};

template <class T>
struct Plain {
    using Type = T;
};

template <class T>
struct Plain<std::optional<T>> {
    using Type = T;
};

template <auto Member>
using OwnerOf = typename MemberOf<decltype(Member)>::Owner;
/// The member's type without std::optional.
template <auto Member>
using ValueOf = typename Plain<typename MemberOf<decltype(Member)>::Type>::Type;

template <auto Member>
auto& member(Block& block) {
    return static_cast<OwnerOf<Member>&>(block).*Member;
}

/// Tables and thread groups of two configurations are the same if their names are.
template <class T>
bool same_value(const T& a, const T& b) {
    using Pointed = std::remove_cv_t<std::remove_pointer_t<T>>;
    static_assert(!std::is_same_v<Pointed, filter::Filter>,
                  "filters are compared by structure: see ProtocolSyntax::compare");
    if constexpr (std::is_same_v<Pointed, TableConfig> ||
                  std::is_same_v<Pointed, ThreadGroupConfig>) {
        return a == b || (a != nullptr && b != nullptr && a->name == b->name);
    } else {
        return a == b;
    }
}

template <auto Member>
bool equal(const Block& a, const Block& b) {
    using Owner = OwnerOf<Member>;
    return same_value(static_cast<const Owner&>(a).*Member, static_cast<const Owner&>(b).*Member);
}

template <class T>
constexpr T from_number(std::uint32_t value) {
    if constexpr (std::is_same_v<T, loops::Duration>) {
        return loops::seconds(value);
    } else if constexpr (std::is_constructible_v<T, std::uint32_t> && std::is_class_v<T>) {
        return T(value);
    } else {
        return static_cast<T>(value);
    }
}

/// A switch; the bare word means on.
template <auto Member>
constexpr OptionRow flag(std::string_view words, Info info) {
    return {words,
            "SWITCH",
            [](Parser& p, Block& b, const OptionRow&) { member<Member>(b) = p.boolean(); },
            &equal<Member>,
            info.default_text,
            info.doc,
            info.effect};
}

/// An integer (or a strong type over one).
template <auto Member>
constexpr OptionRow number(std::string_view words, Range range, Info info) {
    return {words,
            "NUM",
            [](Parser& p, Block& b, const OptionRow& row) {
                member<Member>(b) = from_number<ValueOf<Member>>(p.number_in(row.range));
            },
            &equal<Member>,
            info.default_text,
            info.doc,
            info.effect,
            range};
}

/// Whole seconds without a unit; the member is a number or a loops::Duration.
template <auto Member>
constexpr OptionRow seconds(std::string_view words, Range range, Info info) {
    OptionRow row = number<Member>(words, range, info);
    row.value = "SECONDS";
    return row;
}

/// A time with a mandatory unit into a loops::Duration. The range is in microseconds.
template <auto Member>
constexpr OptionRow time(std::string_view words, Range range, Info info) {
    return {words,
            "TIME",
            [](Parser& p, Block& b, const OptionRow& row) {
                member<Member>(b) = loops::microseconds(p.time_in(row.range));
            },
            &equal<Member>,
            info.default_text,
            info.doc,
            info.effect,
            range};
}

/// A range that allows every time.
inline constexpr Range any_time{0, ~std::uint64_t{0}, {}};

/// A string.
template <auto Member>
constexpr OptionRow text(std::string_view words, Info info) {
    return {words,
            "\"TEXT\"",
            [](Parser& p, Block& b, const OptionRow&) { member<Member>(b) = p.text(); },
            &equal<Member>,
            info.default_text,
            info.doc,
            info.effect};
}

/// An IP address of either family.
template <auto Member>
constexpr OptionRow address(std::string_view words, Info info) {
    return {words,
            "IP",
            [](Parser& p, Block& b, const OptionRow&) { member<Member>(b) = p.address(); },
            &equal<Member>,
            info.default_text,
            info.doc,
            info.effect};
}

/// A router id or the like: number or IPv4 form.
template <auto Member>
constexpr OptionRow identifier(std::string_view words, Info info) {
    return {words,
            "NUM | IPv4",
            [](Parser& p, Block& b, const OptionRow&) {
                member<Member>(b) = from_number<ValueOf<Member>>(p.identifier());
            },
            &equal<Member>,
            info.default_text,
            info.doc,
            info.effect};
}

/// One word out of a list.
template <auto Member>
constexpr OptionRow choice(std::string_view words, std::span<const Choice> choices, Info info) {
    return {words,
            "CHOICE",
            [](Parser& p, Block& b, const OptionRow& row) {
                member<Member>(b) = static_cast<ValueOf<Member>>(p.choice(row.choices));
            },
            &equal<Member>,
            info.default_text,
            info.doc,
            info.effect,
            {},
            choices};
}

/// A switch or one word out of a list; the switch gives `Off` or `On`.
template <auto Member, auto Off, auto On>
constexpr OptionRow flag_or(std::string_view words, std::span<const Choice> choices, Info info) {
    return {words,
            "SWITCH | CHOICE",
            [](Parser& p, Block& b, const OptionRow& row) {
                for (const Choice& choice : row.choices) {
                    if (p.accept_words(choice.word)) {
                        member<Member>(b) = static_cast<ValueOf<Member>>(choice.value);
                        return;
                    }
                }
                member<Member>(b) = p.boolean() ? On : Off;
            },
            &equal<Member>,
            info.default_text,
            info.doc,
            info.effect,
            {},
            choices};
}

/// Whatever `Read` makes of the tokens. `Member` is what a changed configuration is compared by
/// and tells the owner's type: `void Read(Parser&, Owner&, const OptionRow&)`.
template <auto Member, auto Read>
constexpr OptionRow custom(std::string_view words, std::string_view value, Info info) {
    return {words,
            value,
            [](Parser& p, Block& b, const OptionRow& row) {
                Read(p, static_cast<OwnerOf<Member>&>(b), row);
            },
            &equal<Member>,
            info.default_text,
            info.doc,
            info.effect};
}

/// An option of the language that this build cannot obey: refused, never ignored.
constexpr OptionRow unavailable(std::string_view words, std::string_view doc) {
    OptionRow row{
        words,
        "",
        [](Parser& p, Block&, const OptionRow& refused) {
            p.fail("Option '" + std::string(refused.words) + "' is not available in this build");
        },
        nullptr,
        "",
        doc};
    row.available = false;
    return row;
}

}  // namespace tern::config::option
