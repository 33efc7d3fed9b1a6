#pragma once

/// Exhaustive exploration of small models: every interleaving of a few threads, step by step.
/// A model's state is a plain value with an order; its threads are functions from a state to the
/// states that one step of theirs can lead to. The explorer visits each state once and tells the
/// first wrong one and the first dead end it has seen. For tests; it allocates as it likes and
/// knows nothing of what is modelled.

#include <cstddef>
#include <set>
#include <string_view>
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

/// A model has `threads`, `step(state, thread, successors)`, and two judgements that are empty for
/// states that may be: `broken(state)`, and `stuck(state)` for those in which nobody can step.
template <class Model, class State>
Findings explore(const Model& model, const State& initial, Until until) {
    Findings findings;
    std::set<State> seen{initial};
    std::vector<State> open{initial};
    std::vector<State> successors;
    while (!open.empty() && (until == Until::end || findings.clean())) {
        const State state = open.back();
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
            for (const State& next : successors) {
                if (seen.insert(next).second) open.push_back(next);
            }
        }
        if (!moved && findings.stuck.empty()) findings.stuck = model.stuck(state);
    }
    return findings;
}

}  // namespace tern::locking
