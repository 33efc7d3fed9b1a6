#pragma once

/// The machine that runs compiled filters: a value stack, frames, one handler per opcode.
/// Private to this folder; others use Filter::run. A Machine lives on the caller's stack for one
/// run, in whatever domain that is, and borrows everything. Handlers return false to stop, having
/// set a verdict or an error. It never allocates but from the arena and for error texts.

#include "alloc/arena.h"
#include "router/attr/as_path_mask.h"
#include "router/filter/filter.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tern::filter {

class Machine {
  public:
    /// `route` and `environment` may be null: then whatever needs them is a run-time error.
    struct Context {
        RouteView* route;
        Environment* environment;
        alloc::Arena& arena;
        std::span<attr::Value> stack;
        std::uint32_t calls_max;
    };

    explicit Machine(const Context& context)
        : route(context.route),
          environment(context.environment),
          arena(context.arena),
          top(context.stack.data()),
          limit_(context.stack.data() + context.stack.size()),
          calls_max_(context.calls_max) {}

    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    /// Runs to the end; for functions the value is `result`.
    Verdict run(const FunctionCode& code);

    /// Stops the run with a run-time error.
    bool fail(std::string text) {
        error_ = std::move(text);
        verdict_ = Verdict::error;
        return false;
    }

    bool stop(Verdict verdict) {
        verdict_ = verdict;
        return false;
    }

    [[nodiscard]] const std::string& error() const { return error_; }

    // For handlers. The stack grows upwards; `top` is one past the last value.
    void push(const attr::Value& value) { *top++ = value; }

    [[nodiscard]] attr::Value& slot(unsigned index) { return base[index]; }

    bool enter(const FunctionCode& callee);
    bool leave(const attr::Value& value);

    void jump(std::uint16_t target) { pc = code->code.data() + target; }

    [[nodiscard]] std::uint32_t line() const {
        return code->line_of(static_cast<std::size_t>(pc - code->code.data()) - 1);
    }

    /// Keeps a mask made at run time until the end of the run.
    const attr::AsPathMask& keep(attr::AsPathMask mask) {
        masks_.push_back(std::make_unique<attr::AsPathMask>(std::move(mask)));
        return *masks_.back();
    }

    RouteView* const route;
    Environment* const environment;
    alloc::Arena& arena;
    attr::Value* top;
    attr::Value* base = nullptr;
    const FunctionCode* code = nullptr;
    const Instruction* pc = nullptr;
    attr::Value result;

  private:
    struct Frame {
        const FunctionCode* code;
        const Instruction* pc;
        std::uint32_t base;  // distance from the caller's base
    };

    attr::Value* const limit_;
    std::uint32_t calls_max_;
    std::uint32_t depth_ = 0;
    static constexpr std::uint32_t near_frames = 16;
    Frame near_[near_frames];  // deeper calls move to the arena
    Frame* frames_ = near_;
    Verdict verdict_ = Verdict::error;
    std::string error_;
    std::vector<std::unique_ptr<attr::AsPathMask>> masks_;
};

/// The same instruction for all files of handlers.
namespace ops {
#define TERN_OPCODE_HANDLER(name, operands, pops, pushes, text) \
    bool name(Machine& machine, Instruction instruction);
TERN_FILTER_OPCODES(TERN_OPCODE_HANDLER)
#undef TERN_OPCODE_HANDLER
}  // namespace ops

}  // namespace tern::filter
