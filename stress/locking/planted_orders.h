#pragma once

/// Programs that take locks, 40 with one planted mistake of order each and some that only look like
/// one, for tern and for the tools that look for such mistakes afterwards. A program is a list of
/// chains; a chain is text, run by one thread: a letter takes the lock of that level (capital: the
/// second one of the level; z: a leaf), `?` tries the next, `&a` takes both of a level as a pair,
/// `-` leaves the innermost, `~db` makes lock d anew at its old address with the level of b, and
/// `!` stands before the acquisition that breaks the order. At its end a chain leaves what it has.
/// Chains run one after the other, so that no program really stands still. Used by tests alone.

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tern::stress {

struct PlantedProgram {
    std::string name;
    std::vector<std::string> chains;
    bool one_thread = false;  ///< else a thread for each chain

    bool planted() const {
        for (const std::string& chain : chains) {
            if (chain.find('!') != std::string::npos) return true;
        }
        return false;
    }
};

/// How to break an order: what the others do, and the chain that does not fit.
struct BrokenOrder {
    std::string_view name;
    std::vector<std::string> legal;
    std::string wrong;
};

inline std::vector<BrokenOrder> broken_orders() {
    return {{"two locks", {"ab"}, "b!a"},
            {"a circle of three", {"ab", "bc"}, "c!a"},
            {"a circle of five", {"ab", "bc", "cd", "de"}, "e!a"},
            {"under four others", {"abcdef"}, "abcdf!e"},
            {"the outermost last", {"abcdefgh"}, "bcdefgh!a"},
            {"after giving up two", {"acd"}, "abd--d!c"},
            {"after a try against the order", {"bc"}, "c?a!b"},
            {"two of one level", {"&a"}, "A!a"},
            {"a leaf, then more", {"cz"}, "z!c"},
            {"a circle through the second of a level", {"aB", "Bc"}, "c!a"}};
}

/// Each way to break an order in each of four histories: 40.
inline std::vector<PlantedProgram> planted_programs() {
    std::vector<PlantedProgram> programs;
    for (const BrokenOrder& order : broken_orders()) {
        const std::string name(order.name);
        std::vector<std::string> after = order.legal;
        after.push_back(order.wrong);
        std::vector<std::string> before = order.legal;
        before.insert(before.begin(), order.wrong);
        programs.push_back({name + ", both ways by threads", after});
        programs.push_back({name + ", both ways by one thread", after, true});
        programs.push_back({name + ", the wrong way first", before});
        programs.push_back({name + ", the wrong way only", {order.wrong}});
    }
    return programs;
}

/// Nothing is wrong with these.
inline std::vector<PlantedProgram> correct_programs() {
    return {{"chains in order", {"abcd", "acd", "bd", "az"}},
            {"one lock after the other, not inside", {"ab--b-a", "b-a", "a-b"}},
            {"a try against the order", {"ab", "b?a"}},
            {"a try against the order by one thread", {"ab", "b?a"}, true},
            {"a try against the order behind a gate", {"abc", "ac?b"}},
            {"a try that closes a circle", {"abc", "acd", "ad?b"}},
            {"a pair, from both ends", {"&a", "&A"}},
            {"a pair, from both ends by one thread", {"&a", "&A"}, true},
            {"a lock at the address of one that was", {"cd", "~dbdc"}},
            {"the same by one thread", {"cd", "~dbdc"}, true},
            {"a lock at the address of one in a circle", {"bc", "cd", "~dadb"}},
            {"a lock under construction is tried", {"bc", "c~bb?b"}}};
}

/// Runs programs with locks of the type Lock, which is made of a level's letter and has
/// lock(step), try_lock(step), unlock(), and lock_pair(a, b, step, held), which appends to `held`
/// in the order of taking.
template <class Lock>
class PlantedRun {
  public:
    PlantedRun() {
        for (std::size_t i = 0; i < letters; ++i)
            locks_[i].emplace(static_cast<char>('a' + i));
        for (std::size_t i = 0; i < letters; ++i)
            locks_[letters + i].emplace(static_cast<char>('a' + i));
    }

    void run(const PlantedProgram& program) {
        for (const std::string& chain : program.chains) {
            if (program.one_thread) {
                run_chain(chain);
            } else {
                std::thread([this, &chain] { run_chain(chain); }).join();
            }
        }
    }

  private:
    static constexpr std::size_t letters = 26;

    static bool capital(char letter) { return letter < 'a'; }

    std::optional<Lock>& at(char letter) {
        return locks_[capital(letter) ? letters + static_cast<std::size_t>(letter - 'A')
                                      : static_cast<std::size_t>(letter - 'a')];
    }

    void run_chain(std::string_view chain) {
        std::vector<Lock*> held;
        for (std::size_t i = 0; i < chain.size(); ++i) {
            const int step = static_cast<int>(i);
            if (chain[i] == '!') continue;
            if (chain[i] == '-') {
                held.back()->unlock();
                held.pop_back();
            } else if (chain[i] == '~') {
                at(chain[i + 1]).emplace(chain[i + 2]);
                i += 2;
            } else if (chain[i] == '?') {
                Lock& lock = *at(chain[++i]);
                if (lock.try_lock(step)) held.push_back(&lock);
            } else if (chain[i] == '&') {
                const char first = chain[++i];
                const char second = static_cast<char>(first ^ ('a' ^ 'A'));
                Lock::lock_pair(*at(first), *at(second), step, held);
            } else {
                at(chain[i])->lock(step);
                held.push_back(&*at(chain[i]));
            }
        }
        for (; !held.empty(); held.pop_back())
            held.back()->unlock();
    }

    std::array<std::optional<Lock>, 2 * letters> locks_;
};

}  // namespace tern::stress
