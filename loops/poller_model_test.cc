// How a thread waits in its poller and how it is kicked out of it, walked through all interleavings
// of the thread, two that give it work and kick, and one that gives it a descriptor to watch. Each
// atomic access and each call of the kernel is one step. Broken variants show that it can fail.
#include "locking/explorer_testing.h"

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
    waits_without_looking,  ///< on the word, although a descriptor has come meanwhile
    adds_without_looking,   ///< a new descriptor does not end a wait on the word
    forgets_early_kick,     ///< one that came before the wait
    kicks_epoll_only,       ///< writes to the eventfd, whatever the thread waits on
};

enum class State : std::uint8_t { awake, kicked, on_word, in_epoll };

/// Where the thread, or one of the others, is in its program.
enum class At : std::uint8_t {
    look,
    choose,
    begin_on_word,
    look_again,
    sleep_on_word,
    asleep_on_word,
    begin_in_epoll,
    ask_epoll,
    wait_in_epoll,
    end,
    give,
    kick,
    wake,
    add,
    count,
    see_state,
    over,
};

struct Actor {
    At at = At::over;
    State seen = State::awake;
    auto operator<=>(const Actor&) const = default;
};

struct Scene {
    State state = State::awake;
    std::uint8_t watched = 0;
    bool in_set = false;    ///< the descriptor stands in the epoll; it is ready
    bool reported = false;  ///< and was found
    bool edge = false;      ///< the eventfd was written to
    bool woken = false;     ///< the sleeper on the word was
    std::uint8_t work = 0;
    std::vector<Actor> actors;
    auto operator<=>(const Scene&) const = default;
};

class PollerModel {
  public:
    explicit PollerModel(Fault fault) : fault_(fault) {}

    static constexpr std::size_t threads = 4;

    static Scene start() {
        Scene scene;
        scene.actors = {{At::look}, {At::give}, {At::give}, {At::add}};
        return scene;
    }

    void step(const Scene& scene, std::size_t thread, std::vector<Scene>& out) const {
        Scene next = scene;
        Actor& actor = next.actors[thread];
        if (thread == 0 ? wait(next, actor) : disturb(next, actor)) out.push_back(next);
    }

    static std::string_view broken(const Scene&) { return ""; }

    /// The thread waits and nobody will come any more.
    static std::string_view stuck(const Scene& scene) {
        if (scene.work != 0) return "sleeps with work";
        if (!scene.reported) return "does not hear of its descriptor";
        return "";
    }

  private:
    /// The thread: handles what there is, waits, and so on.
    bool wait(Scene& scene, Actor& actor) const {
        switch (actor.at) {
            case At::look:
                scene.work = 0;
                actor.at = At::choose;
                return true;
            case At::choose:
                actor.at = scene.watched == 0 ? At::begin_on_word : At::begin_in_epoll;
                return true;
            case At::begin_on_word:
            case At::begin_in_epoll:
                begin(scene, actor);
                return true;
            case At::look_again:
                actor.at = scene.watched == 0 ? At::sleep_on_word : At::end;
                return true;
            case At::sleep_on_word:
                actor.at = scene.state == State::on_word ? At::asleep_on_word : At::end;
                return true;
            case At::asleep_on_word:
                if (!scene.woken) return false;
                scene.woken = false;
                actor.at = At::end;
                return true;
            case At::ask_epoll:
                ask_epoll(scene);
                actor.at = At::end;
                return true;
            case At::wait_in_epoll:
                if (!scene.edge && (!scene.in_set || scene.reported)) return false;
                actor.at = At::ask_epoll;
                return true;
            default:
                scene.state = State::awake;
                actor.at = At::look;
                return true;
        }
    }

    void begin(Scene& scene, Actor& actor) const {
        const bool word = actor.at == At::begin_on_word;
        const bool early = scene.state != State::awake && fault_ != Fault::forgets_early_kick;
        if (early) {
            actor.at = word ? At::end : At::ask_epoll;
        } else if (word) {
            scene.state = State::on_word;
            actor.at = fault_ == Fault::waits_without_looking ? At::sleep_on_word : At::look_again;
        } else {
            scene.state = State::in_epoll;
            actor.at = At::wait_in_epoll;
        }
    }

    static void ask_epoll(Scene& scene) {
        scene.edge = false;
        if (scene.in_set) scene.reported = true;
    }

    bool disturb(Scene& scene, Actor& actor) const {
        switch (actor.at) {
            case At::give:
                ++scene.work;
                actor.at = At::kick;
                return true;
            case At::kick:
                actor.seen = scene.state;
                scene.state = State::kicked;
                actor.at = At::wake;
                return true;
            case At::wake:
                wake(scene, actor);
                actor.at = At::over;
                return true;
            case At::add:
                scene.in_set = true;
                actor.at = At::count;
                return true;
            case At::count:
                ++scene.watched;
                actor.at = fault_ == Fault::adds_without_looking ? At::over : At::see_state;
                return true;
            case At::see_state:
                actor.at = scene.state == State::on_word ? At::kick : At::over;
                return true;
            default:
                return false;
        }
    }

    void wake(Scene& scene, const Actor& kicker) const {
        if (kicker.seen == State::in_epoll ||
            (fault_ == Fault::kicks_epoll_only && kicker.seen == State::on_word)) {
            scene.edge = true;
        } else if (kicker.seen == State::on_word) {
            // Wakes who sleeps now; who only wants to finds that the word has changed.
            scene.woken = scene.actors[0].at == At::asleep_on_word;
        }
    }

    Fault fault_;
};

Findings walk(Fault fault) {
    return explore(PollerModel(fault), PollerModel::start(), Until::first_finding);
}

}  // namespace

TEST_CASE("AT-PING-1 a thread that waits in its poller misses no kick and no descriptor",
          "[AT-PING-1]") {
    const Findings findings = walk(Fault::none);
    CHECK(findings.clean());
    CHECK(findings.states > 500);
}

TEST_CASE("AT-PING-1 the model finds pollers that are wrong", "[AT-PING-1]") {
    CHECK_FALSE(walk(Fault::waits_without_looking).clean());
    CHECK_FALSE(walk(Fault::adds_without_looking).clean());
    CHECK_FALSE(walk(Fault::forgets_early_kick).clean());
    CHECK_FALSE(walk(Fault::kicks_epoll_only).clean());
}

}  // namespace tern::loops
