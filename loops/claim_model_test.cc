// The claim of an event walked through all interleavings on a machine whose stores become visible
// late: what is done before a send that finds the event queued must be seen by the run to come.
#include "locking/explorer_testing.h"

#include <compare>
#include <cstdint>
#include <optional>
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
    plain_release,  ///< the runner ends the claim by a store that its reads may overtake
};

/// Two senders say something and send; a runner ends the claim and reads what was said.
struct Scene {
    static constexpr unsigned senders = 2;

    std::uint8_t told = 0;  ///< a bit for each sender
    bool claimed = false;
    bool queued = false;
    std::uint8_t seen = 0;
    std::optional<bool> runner_store;  ///< of the claim, not visible yet
    std::uint8_t sender_at[senders]{};
    std::uint8_t runner_at = 0;
    auto operator<=>(const Scene&) const = default;
};

struct ClaimModel {
    Fault fault = Fault::none;
    static constexpr std::size_t threads = Scene::senders + 1;

    void step(const Scene& scene, std::size_t index, std::vector<Scene>& out) const {
        if (index < Scene::senders) {
            sender(scene, index, out);
            return;
        }
        if (scene.runner_store) {
            Scene next = scene;
            next.claimed = *next.runner_store;
            next.runner_store.reset();
            out.push_back(next);
        }
        runner(scene, out);
    }

    static void sender(Scene next, std::size_t index, std::vector<Scene>& out) {
        std::uint8_t& at = next.sender_at[index];
        switch (at++) {
            case 0:  // before a locked instruction, hence visible when that is done
                next.told |= static_cast<std::uint8_t>(1U << index);
                break;
            case 1:
                if (next.claimed) at = 3;
                next.claimed = true;
                break;
            case 2:
                next.queued = true;
                break;
            default:
                return;
        }
        out.push_back(next);
    }

    void runner(Scene next, std::vector<Scene>& out) const {
        switch (next.runner_at) {
            case 0:
                if (!next.queued) return;
                next.queued = false;
                next.runner_at = 1;
                break;
            case 1:
                if (fault == Fault::plain_release) {
                    next.runner_store = false;
                } else {
                    next.claimed = false;
                }
                next.runner_at = 2;
                break;
            default:
                next.seen |= next.told;
                next.runner_at = 0;
        }
        // The next run takes the event out of the queue by a locked instruction.
        if (next.runner_at == 1 && next.runner_store) return;
        out.push_back(next);
    }

    static std::string_view broken(const Scene&) { return ""; }

    static std::string_view stuck(const Scene& scene) {
        return scene.seen != scene.told ? "what was told is not seen" : "";
    }
};

}  // namespace

TEST_CASE("AT-PING-1 a send that finds its event queued is seen by the run", "[AT-PING-1]") {
    CHECK(explore(ClaimModel{}, Scene{}, Until::end).clean());
    const Findings findings =
        explore(ClaimModel{Fault::plain_release}, Scene{}, Until::first_finding);
    CHECK(findings.stuck == "what was told is not seen");
}

}  // namespace tern::loops
