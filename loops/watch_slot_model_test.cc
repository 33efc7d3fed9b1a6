// The slot of a watcher walked through all interleavings of two threads that poll, of which the
// second serves the loop after it has moved, and of the loop, which handles, moves and at last
// stops, while its watchers come and go. The slot's word changes by the very functions that the
// threads use, each atomic access is one step. Broken variants show that it can fail.
#include "locking/explorer_testing.h"
#include "loops/slot_word.h"

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::loops {

using locking::explore;
using locking::Findings;
using locking::Until;

namespace {

enum class Fault {
    none,
    frees_queued,      ///< a killed slot goes back although it stands in a queue
    forgets_refused,   ///< a slot that a closed queue refuses is left as it is
    keeps_generation,  ///< the next watcher gets the tokens of the one before
    moves_unseen,      ///< a loop that moves leaves the old thread's reports valid
    drops_at_close,    ///< what a stopping loop still has queued is forgotten
};

constexpr unsigned pollers = 2;
constexpr std::uint8_t readable = 1;

/// What the loop does, step by step; `handle` may be done any number of times in between.
enum class Verb : std::uint8_t { watch, unwatch, move, close, over };

struct Polling {
    bool registered = false;       ///< our descriptor stands here
    std::uint32_t token = 0;       ///< by this generation
    std::uint8_t watcher = 0;      ///< and is this watcher's
    bool has_report = false;       ///< the kernel has answered
    std::uint32_t reported = 0;    ///< this generation
    std::uint8_t reported_of = 0;  ///< for this watcher
    bool claimed = false;          ///< and the slot is ours to queue

    bool busy() const { return has_report || claimed; }

    auto operator<=>(const Polling&) const = default;
};

struct Scene {
    std::uint64_t word = SlotWord().pack();
    std::array<Polling, pollers> polling;
    std::uint8_t home = 0;      ///< the poller of the thread that has the loop
    std::uint8_t at = 0;        ///< in the loop's program
    std::uint8_t watcher = 0;   ///< now in the slot; 0: none
    std::uint8_t watchers = 0;  ///< there have been so many
    std::uint8_t bits_of = 0;   ///< for whom the slot was claimed
    std::uint8_t queued = 0;    ///< so often it stands in the queue
    bool data = true;           ///< unread in the descriptor
    bool closed = false;
    bool in_store = true;
    std::string_view wrong;
    auto operator<=>(const Scene&) const = default;
};

class SlotModel {
  public:
    SlotModel(std::vector<Verb> program, Fault fault)
        : program_(std::move(program)), fault_(fault) {}

    static constexpr std::size_t threads = pollers + 2;

    void step(const Scene& scene, std::size_t thread, std::vector<Scene>& out) const {
        Scene next = scene;
        const bool moved = thread < pollers    ? poll(next, next.polling[thread])
                           : thread == pollers ? proceed(next)
                                               : handle(next);
        if (moved) out.push_back(next);
    }

    static std::string_view broken(const Scene& scene) { return scene.wrong; }

    std::string_view stuck(const Scene& scene) const {
        if (verb(scene) != Verb::over) return "the loop does not come to its end";
        if (!scene.in_store) return "the slot is lost";
        return "";
    }

  private:
    Verb verb(const Scene& scene) const {
        return scene.at < program_.size() ? program_[scene.at] : Verb::over;
    }

    static SlotDuty install(Scene& scene, SlotStep step) {
        scene.word = step.next.pack();
        return step.duty;
    }

    static SlotWord word(const Scene& scene) { return SlotWord::unpack(scene.word); }

    static void give_back(Scene& scene) {
        if (scene.in_store) scene.wrong = "given back twice";
        if (scene.queued != 0) scene.wrong = "given back while it is queued";
        scene.in_store = true;
    }

    /// A thread asks the kernel, claims what it is told, and queues what it has claimed.
    bool poll(Scene& scene, Polling& polling) const {
        if (polling.claimed) {
            polling.claimed = false;
            if (!scene.closed) {
                if (++scene.queued > 1) scene.wrong = "queued twice";
            } else if (fault_ != Fault::forgets_refused) {
                let_go(scene);
            }
            return true;
        }
        if (polling.has_report) {
            polling.has_report = false;
            const SlotDuty duty =
                install(scene, slot_claim(word(scene), polling.reported, readable));
            if (duty == SlotDuty::queue) {
                polling.claimed = true;
                scene.bits_of = polling.reported_of;
            }
            return true;
        }
        if (!polling.registered || !scene.data) return false;
        polling.has_report = true;
        polling.reported = polling.token;
        polling.reported_of = polling.watcher;
        return true;
    }

    static bool let_go(Scene& scene) {
        const bool dead = install(scene, slot_let_go(word(scene))) == SlotDuty::give_back;
        if (dead) give_back(scene);
        return dead;
    }

    /// The loop takes the slot out of its queue, with its domain held, when its thread has told it
    /// what the kernel said.
    bool handle(Scene& scene) const {
        if (scene.queued == 0 || scene.closed || scene.polling[scene.home].busy()) return false;
        --scene.queued;
        if (let_go(scene)) return true;
        if (scene.watcher == 0) {
            scene.wrong = "delivered to nobody";
        } else if (scene.watcher != scene.bits_of) {
            scene.wrong = "delivered to another watcher";
        } else if (!scene.data) {
            scene.wrong = "said twice";
        }
        scene.data = false;
        return true;
    }

    /// The next step of the loop's program, with its domain held.
    bool proceed(Scene& scene) const {
        const Verb now = verb(scene);
        switch (now) {
            case Verb::watch:
                if (!scene.in_store) return false;  // the model has one slot only
                watch(scene);
                break;
            case Verb::unwatch:
                unwatch(scene);
                break;
            case Verb::move:
                if (scene.polling[1 - scene.home].busy()) return false;  // that thread takes it
                move(scene);
                break;
            case Verb::close:
                close(scene);
                break;
            case Verb::over:
                return false;
        }
        ++scene.at;
        return true;
    }

    void watch(Scene& scene) const {
        scene.in_store = false;
        SlotWord opened = slot_open(word(scene)).next;
        if (fault_ == Fault::keeps_generation && scene.watchers > 0) --opened.generation;
        scene.word = opened.pack();
        scene.watcher = ++scene.watchers;
        scene.data = true;  // its descriptor has something to read
        stand(scene);
    }

    static void stand(Scene& scene) {
        Polling& polling = scene.polling[scene.home];
        polling.registered = true;
        polling.token = word(scene).generation;
        polling.watcher = scene.watcher;
    }

    void unwatch(Scene& scene) const {
        scene.polling[scene.home].registered = false;
        scene.watcher = 0;
        const SlotDuty duty = install(scene, slot_kill(word(scene)));
        if (duty == SlotDuty::give_back || fault_ == Fault::frees_queued) give_back(scene);
    }

    void move(Scene& scene) const {
        scene.polling[scene.home].registered = false;
        scene.home = static_cast<std::uint8_t>(1 - scene.home);
        if (fault_ != Fault::moves_unseen) install(scene, slot_renew(word(scene)));
        stand(scene);
    }

    void close(Scene& scene) const {
        scene.closed = true;
        if (scene.queued == 0) return;
        scene.queued = 0;
        if (fault_ != Fault::drops_at_close) let_go(scene);
    }

    std::vector<Verb> program_;
    Fault fault_;
};

/// Whether a watcher is destroyed before the stop or let go of by it, and moves in between or not.
const std::vector<std::vector<Verb>> programs = {
    {Verb::watch, Verb::unwatch, Verb::watch, Verb::unwatch, Verb::close},
    {Verb::watch, Verb::move, Verb::move, Verb::unwatch, Verb::close},
    {Verb::watch, Verb::unwatch, Verb::watch, Verb::move, Verb::close, Verb::unwatch},
};

bool clean(Fault fault) {
    for (const std::vector<Verb>& program : programs) {
        if (!explore(SlotModel(program, fault), Scene{}, Until::first_finding).clean())
            return false;
    }
    return true;
}

}  // namespace

TEST_CASE("AT-SOCK-8 a report reaches the watcher it was made for, once, or nobody",
          "[AT-SOCK-8]") {
    std::size_t states = 0;
    for (const std::vector<Verb>& program : programs) {
        const Findings findings = explore(SlotModel(program, Fault::none), Scene{}, Until::end);
        CHECK(findings.broken == "");
        CHECK(findings.stuck == "");
        states += findings.states;
    }
    CHECK(states > 300);
}

TEST_CASE("AT-SOCK-8 the model finds slots that are wrong", "[AT-SOCK-8]") {
    CHECK_FALSE(clean(Fault::frees_queued));
    CHECK_FALSE(clean(Fault::forgets_refused));
    CHECK_FALSE(clean(Fault::keeps_generation));
    CHECK_FALSE(clean(Fault::moves_unseen));
    CHECK_FALSE(clean(Fault::drops_at_close));
}

}  // namespace tern::loops
