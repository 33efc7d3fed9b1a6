#pragma once

/// The public face of the filter language: a compiled filter that can be run and compared.
/// Filters belong to the Library of one configuration and are immutable; any domain may run them,
/// many at once. A run needs no memory but its stack and the arena of the RouteView. It never
/// blocks, never fails: a run-time error rejects the route and is reported to the Environment.

#include "alloc/arena.h"
#include "router/base/result.h"
#include "router/filter/bytecode.h"
#include "router/filter/environment.h"
#include "router/filter/route_view.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tern::filter {

enum class Verdict : std::uint8_t {
    accept,
    reject,
    error,  ///< a run-time error or the `error` statement: treat as reject
};

/// `filter stacks V E`.
struct StackLimits {
    std::uint32_t values = 128;
    std::uint32_t calls = 128;
};

class Filter {
  public:
    enum class Kind : std::uint8_t { accept_all, reject_all, code };

    /// The filters written `all` and `none`.
    [[nodiscard]] static const Filter& accept_everything();
    [[nodiscard]] static const Filter& reject_everything();

    explicit constexpr Filter(Kind kind) : kind_(kind) {}

    Filter(const FunctionCode& code, StackLimits limits)
        : kind_(Kind::code), code_(&code), limits_(limits) {}

    [[nodiscard]] bool is_accept_all() const { return kind_ == Kind::accept_all; }

    [[nodiscard]] bool is_reject_all() const { return kind_ == Kind::reject_all; }

    /// As `show protocols all` prints it: "ACCEPT", "REJECT", the name, or "(unnamed)".
    [[nodiscard]] std::string_view name() const;

    /// What a run may read and do; all false for accept-all and reject-all.
    [[nodiscard]] Effects effects() const { return code_ == nullptr ? Effects{} : code_->effects; }

    /// False: one run per attribute set and source does for all prefixes.
    [[nodiscard]] bool reads_net() const { return effects().reads_net || effects().prints; }

    /// Tables whose changes can change verdicts.
    [[nodiscard]] const std::vector<std::string_view>& roa_tables() const;
    [[nodiscard]] const std::vector<std::string_view>& aspa_tables() const;

    Verdict run(RouteView& route, Environment& environment) const;

    /// Same verdicts and changes for every route, by structure: no reload needed.
    [[nodiscard]] bool same_as(const Filter& other) const;

    /// Equal for filters that are the same by structure.
    [[nodiscard]] std::uint64_t hash() const;

    /// Null for accept-all and reject-all.
    [[nodiscard]] const FunctionCode* code() const { return code_; }

  private:
    Kind kind_;
    const FunctionCode* code_ = nullptr;
    StackLimits limits_;
};

/// Both null counts as the same (no filter).
[[nodiscard]] bool same_filter(const Filter* a, const Filter* b);

/// Runs a function without a route: constants, `eval`. Strings and lists of the result live in
/// `arena`. Errors: the run-time error's text.
[[nodiscard]] Result<attr::Value> evaluate(const FunctionCode& code,
                                           alloc::Arena& arena,
                                           Environment* environment);

}  // namespace tern::filter
