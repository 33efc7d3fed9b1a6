#pragma once

/// What stands behind explore(): the threads of a program as stacks, the choices made, the states
/// seen. Internal to stress/weak/; there is one while explore() runs, which the functions that the
/// compiler calls find. It knows nothing of what programs mean.

#include "stress/weak/explore.h"
#include "stress/weak/machine.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <ucontext.h>

namespace tern::stress::weak {

class Explorer final : public Chooser {
  public:
    Explorer(Make make, Orders orders) : make_(make), machine_(*this, orders) {}

    /// A call of the program's: answered by the explorer, with memory that is not the program's.
    class Call {
      public:
        Call();
        ~Call();

        Call(const Call&) = delete;
        Call& operator=(const Call&) = delete;

        /// Not if it comes from elsewhere, as from the making of a program.
        explicit operator bool() const { return explorer_ != nullptr; }

        Explorer* operator->() const { return explorer_; }

      private:
        Explorer* explorer_;
    };

    Findings explore();

    unsigned choose(unsigned count) override;

    unsigned thread() const { return thread_; }

    Machine& machine() { return machine_; }

    /// Before an access: others may go first, if they use that word as well.
    void before(const void* word, bool writes);
    void wait_while(const void* word, unsigned bytes, std::uint64_t value);
    void yield();
    void fail(std::string_view what);

    static bool on_stack(const void* at);

  private:
    static constexpr std::size_t steps_max = 5000;

    struct Choice {
        unsigned chosen;
        unsigned count;
    };

    /// What a thread waits for.
    struct Gate {
        const void* word = nullptr;
        unsigned bytes = 0;
        std::uint64_t value = 0;
        bool yielded = false;
        std::size_t stores = 0;
    };

    struct Thread {
        ucontext_t context{};
        bool ended = false;
        Gate gate;
    };

    /// Who has ever used a word; by bits of threads.
    struct Users {
        std::uint8_t readers = 0;
        std::uint8_t writers = 0;

        bool shared() const {
            const unsigned all = readers | writers;
            return writers != 0 && (all & (all - 1)) != 0;
        }
    };

    static void enter();
    void execute();
    void start();
    void resume(unsigned thread);
    void leave();
    bool ready(const Thread& thread);
    bool next_path();

    Make make_;
    Machine machine_;
    Program* program_ = nullptr;
    std::array<Thread, threads_max> threads_{};
    ucontext_t scheduler_{};
    unsigned thread_ = 0;
    std::vector<Choice> path_;
    std::size_t depth_ = 0;
    std::unordered_set<std::uint64_t> states_;
    std::unordered_map<const void*, Users> users_;
    bool again_ = false;  ///< a word turned out to be shared
    Findings findings_;
};

}  // namespace tern::stress::weak
