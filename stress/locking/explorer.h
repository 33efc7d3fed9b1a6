#pragma once

/// Exhaustive exploration of small models: every interleaving of a few threads, step by step.
/// A model's state is a plain value with an order; its threads are functions from a state to the
/// states that one step of theirs can lead to. The explorer visits each state once and tells the
/// worst it has seen. For tests; it allocates as it likes and knows nothing of what is modelled.

#include <cstddef>
#include <set>
#include <vector>

namespace tern::stress {

struct Findings {
    std::size_t states = 0;
    bool broken = false;  ///< a state that must not be
    bool stuck = false;   ///< nobody can step, and not all are done
};

/// A model has `threads`, `step(state, thread, successors)`, `broken(state)` and `done(state)`.
template <class Model, class State>
Findings explore(const Model& model, const State& initial) {
    Findings findings;
    std::set<State> seen{initial};
    std::vector<State> open{initial};
    std::vector<State> successors;
    while (!open.empty()) {
        const State state = open.back();
        open.pop_back();
        ++findings.states;
        if (model.broken(state)) findings.broken = true;
        bool moved = false;
        for (std::size_t thread = 0; thread < model.threads; ++thread) {
            successors.clear();
            model.step(state, thread, successors);
            moved = moved || !successors.empty();
            for (const State& next : successors) {
                if (seen.insert(next).second) open.push_back(next);
            }
        }
        if (!moved && !model.done(state)) findings.stuck = true;
    }
    return findings;
}

}  // namespace tern::stress
