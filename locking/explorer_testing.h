#pragma once

/// Exhaustive exploration of small models: every interleaving of a few threads, step by step.
/// A model's state is a plain value with an order; its threads are functions from a state to the
/// states that one step of theirs can lead to. The explorer visits each state once and tells the
/// first wrong one and the first dead end it has seen. For tests; it allocates as it likes and
/// knows nothing of what is modelled. A model whose threads are alike may say which state stands
/// for all that differ in their names only; then that one is visited for all of them.

#include <cstddef>
#include <functional>
#include <set>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <vector>

namespace tern::locking {

struct Findings {
    std::size_t states = 0;
    std::string_view broken;  ///< what is wrong with a state that must not be; empty: none is
    std::string_view stuck;   ///< what is left undone where nobody can step; empty: nothing

    bool clean() const { return broken.empty() && stuck.empty(); }
};

/// Broken models can have very many states: one finding is enough, or all are wanted.
enum class Until : unsigned char { first_finding, end };

/// By the bytes of a state; for those that are nothing but their bytes.
struct HashOfBytes {
    template <class State>
    std::size_t operator()(const State& state) const {
        const auto* const bytes = reinterpret_cast<const char*>(&state);
        return std::hash<std::string_view>()({bytes, sizeof state});
    }
};

/// States seen. Large models need states that hash; a set asks for an order only.
template <class State>
using Seen = std::conditional_t<std::has_unique_object_representations_v<State>,
                                std::unordered_set<State, HashOfBytes>,
                                std::set<State>>;

/// A model has `threads`, `step(state, thread, successors)`, and two judgements that are empty for
/// states that may be: `broken(state)`, and `stuck(state)` for those in which nobody can step. It
/// may have `rename(state)`, which makes a state the one that stands for its like.
template <class Model, class State>
Findings explore(const Model& model, const State& initial, Until until) {
    Findings findings;
    Seen<State> seen{initial};
    std::vector<const State*> open{&*seen.begin()};  // they stay where they are
    std::vector<State> successors;
    while (!open.empty() && (until == Until::end || findings.clean())) {
        const State& state = *open.back();
        open.pop_back();
        ++findings.states;
        if (const std::string_view broken = model.broken(state); !broken.empty()) {
            if (findings.broken.empty()) findings.broken = broken;
            continue;  // what follows from it says nothing
        }
        bool moved = false;
        for (std::size_t thread = 0; thread < model.threads; ++thread) {
            successors.clear();
            model.step(state, thread, successors);
            moved = moved || !successors.empty();
            for (State& next : successors) {
                if constexpr (requires { model.rename(next); }) model.rename(next);
                const auto [at, fresh] = seen.insert(next);
                if (fresh) open.push_back(&*at);
            }
        }
        if (!moved && findings.stuck.empty()) findings.stuck = model.stuck(state);
    }
    return findings;
}

}  // namespace tern::locking
