#include "loops/scheduler_model_testing.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <type_traits>

namespace tern::loops::model {

static_assert(std::has_unique_object_representations_v<Scene>, "scenes are told apart by bytes");

namespace {

constexpr std::uint8_t bit(unsigned loop) {
    return static_cast<std::uint8_t>(1U << loop);
}

constexpr std::uint8_t small(unsigned number) {
    return static_cast<std::uint8_t>(number);
}

void add_to(std::uint8_t& queue, unsigned loop) {
    queue |= bit(loop);
}

bool stands_in(std::uint8_t queue, unsigned loop) {
    return (queue & bit(loop)) != 0;
}

/// Whether the loop has to be put into a queue.
bool change(LoopModel& loop, const LoopStep& step) {
    loop.word = step.next;
    return step.enqueue;
}

}  // namespace

/// The steps that one thread can take from a scene.
class Scheduler::Step {
  public:
    Step(const Scheduler& model, const Scene& before, unsigned index, std::vector<Scene>& out)
        : model_(model), before_(before), index_(index), out_(out) {}

    void take() {
        switch (me().at) {
            case At::choose:
                return choose();
            case At::handle:
                return handle();
            case At::rouse_one:
            case At::rouse_last:
                return rouse_one();
            case At::retire:
                return retire();
            case At::next_order:
                if (model_.script_.giver == Giver::outsider) give_order();
                return;
            case At::wait:
                if (own().kicked) go([this](Scene& next, Thread& me) { wake_up(next, me); });
                return;
            case At::gone:
                return;
            default:
                go([this](Scene& next, Thread& me) { proceed(next, me); });
        }
    }

  private:
    bool wrong_is(Fault fault) const { return model_.fault_ == fault; }

    const Thread& me() const { return before_.threads[index_]; }

    const WorkerModel& own() const { return before_.workers[index_]; }

    /// One more scene that can follow.
    template <class Change>
    void go(Change&& change) {
        Scene next = before_;
        change(next, next.threads[index_]);
        out_.push_back(next);
    }

    /// What the thread had to do for another loop, or for an order, is done.
    void finish(Thread& me) const {
        const bool leaves = me.at == At::rouse_last;
        me.at = leaves ? At::gone : index_ == outside ? At::next_order : At::choose;
        if (me.runs != none) me.at = At::handle;
        me.loop = me.runs;
        me.runs = me.worker = me.group = none;
    }

    void pop(Scene& next, std::uint8_t& queue, unsigned loop, bool keeps) const {
        if (!keeps) queue &= small(~bit(loop));
        Thread& me = next.threads[index_];
        me.loop = small(loop);
        if (next.loops[loop].word.state != LoopState::ready) next.wrong = Wrong::popped_not_ready;
    }

    void choose() {
        for (unsigned loop = 0; loop < loops_count; ++loop) {
            if (stands_in(own().queue, loop)) serve(loop);
            for (unsigned i = 0; i < workers_count; ++i)
                steal(i, loop);
            if (stands_in(before_.groups[own().group].injector, loop)) {
                go([&](Scene& next, Thread& me) {
                    pop(next, next.groups[own().group].injector, loop, false);
                    queue_own(next, me);
                });
            }
        }
        if (own().leaving) leave();
        // It may have seen nothing to do before.
        go([this](Scene& next, Thread& me) {
            next.workers[index_].sleeping = true;
            ++next.groups[own().group].sleepers;
            me.at = wrong_is(Fault::sleeps_without_looking) ? At::wait : At::look_queue;
        });
    }

    /// A loop of its queue: to be run, dropped or handed over.
    void serve(unsigned loop) {
        go([&](Scene& next, Thread& me) {
            pop(next, next.workers[index_].queue, loop, false);
            const std::uint8_t group = next.loops[loop].group;
            if (group != own().group) {
                disown(next, me, group);
            } else if (model_.script_.has(Verb::move)) {
                me.at = At::begin;
            } else {
                begin(next, me);
            }
        });
        go([&](Scene& next, Thread& me) {
            pop(next, next.workers[index_].queue, loop, wrong_is(Fault::drop_keeps_home_queue));
            disown(next, me, own().group);
        });
        if (!model_.script_.has(Verb::shrink)) return;  // it would be as with a send
        for (unsigned i = 0; i < workers_count; ++i) {
            if (i == index_ || before_.workers[i].group != own().group) continue;
            go([&](Scene& next, Thread& me) {
                pop(next, next.workers[index_].queue, loop, false);
                me.worker = small(i);
                me.at = At::hand;
            });
        }
    }

    /// To be run here, or given back when it turns out that it had better stay.
    void steal(unsigned from, unsigned loop) {
        const WorkerModel& victim = before_.workers[from];
        if (from == index_ || victim.group != own().group || !stands_in(victim.queue, loop)) return;
        const bool keeps = wrong_is(Fault::runs_what_it_left);
        go([&](Scene& next, Thread& me) {
            pop(next, next.workers[from].queue, loop, keeps);
            queue_own(next, me);
        });
        if (!model_.script_.has(Verb::shrink)) return;
        go([&](Scene& next, Thread& me) {
            pop(next, next.workers[from].queue, loop, keeps);
            me.worker = small(from);
            me.at = wrong_is(Fault::gives_back_blindly) ? At::give_back : At::hand;
        });
    }

    /// It hands over what it has, and goes when nothing is left in its queue or in its books.
    void leave() {
        bool left = own().queue == 0;
        for (unsigned loop = 0; loop < loops_count; ++loop) {
            if (stands_in(own().queue, loop)) {
                go([&](Scene& next, Thread& me) {
                    pop(next, next.workers[index_].queue, loop, false);
                    disown(next, me, none);
                });
            }
            if (before_.loops[loop].home != index_) continue;
            const bool idle = before_.loops[loop].word.state == LoopState::idle;
            left = left && wrong_is(idle ? Fault::leaves_idle_behind : Fault::leaves_early);
            if (!idle || wrong_is(Fault::leaves_idle_behind)) continue;
            go([&](Scene& next, Thread& me) {
                change(next.loops[loop], step_take_idle(next.loops[loop].word));
                me.loop = small(loop);
                disown(next, me, none);
            });
        }
        if (!left) return;
        // Somebody may have been content with waking us.
        const bool passes_on = before_.groups[own().group].injector != 0;
        go([&](Scene&, Thread& me) {
            me.at = At::gone;
            if (!passes_on || wrong_is(Fault::leaves_silently)) return;
            me.group = own().group;
            me.at = At::rouse_last;
        });
    }

    void queue_own(Scene& next, Thread& me) const {
        add_to(next.workers[index_].queue, me.loop);
        finish(me);
    }

    /// On its way into the injector of that group, or of the loop's.
    static void disown(Scene& next, Thread& me, std::uint8_t group) {
        next.loops[me.loop].home = none;
        me.group = group;
        me.at = At::inject;
    }

    /// One event; its handler may give orders. The slice may end with more left.
    void handle() {
        const LoopModel& loop = before_.loops[me().loop];
        go([&](Scene& next, Thread& me) {
            LoopModel& runs = next.loops[me.loop];
            if (me.last) {
                runs.pending = 0;
                runs.closed = true;
                me.at = At::stopped;
                return;
            }
            if (runs.pending > 0) --runs.pending;
            me.more = runs.pending > 0;
            const bool looks = model_.script_.has(Verb::move);
            me.at = looks && !wrong_is(Fault::move_seen_before_run) ? At::look_moved : At::end;
        });
        if (loop.pending > 0 && model_.script_.giver == Giver::handlers) give_order();
    }

    void give_order() {
        if (before_.order == model_.script_.orders.size()) return;
        const Order order = model_.script_.orders[before_.order];
        if (order.verb == Verb::shrink) return shrink(order.what);
        go([&](Scene& next, Thread& me) {
            ++next.order;
            LoopModel& loop = next.loops[order.what];
            const bool ours = me.loop == order.what;
            me.runs = me.loop;
            me.loop = order.what;
            if (order.verb == Verb::stop) {
                me.at = At::ask_stop;
                return;
            }
            if (order.verb == Verb::move) {
                loop.group = order.to;
                me.at = At::wake;
                if (wrong_is(Fault::move_without_wake)) finish(me);
                return;
            }
            if (!loop.closed) ++loop.pending;
            me.at = At::wake;
            if (loop.closed || ours) finish(me);
        });
    }

    /// Some member has to leave, if it is not the last.
    void shrink(unsigned group) {
        for (unsigned i = 0; i < workers_count; ++i) {
            if (before_.workers[i].group != group || !before_.workers[i].member) continue;
            go([&](Scene& next, Thread& me) {
                ++next.order;
                next.workers[i].member = false;
                next.workers[i].leaving = true;
                me.runs = me.loop;
                me.worker = small(i);
                me.at = At::rouse;
            });
        }
    }

    static void rouse(WorkerModel& worker) {
        if (!worker.sleeping) return;
        worker.sleeping = false;
        worker.kicked = true;
    }

    /// Any member that sleeps, if somebody is counted as asleep.
    void rouse_one() {
        const bool somebody = before_.groups[me().group].sleepers != 0;
        bool found = false;
        for (unsigned i = 0; somebody && i < workers_count; ++i) {
            const WorkerModel& worker = before_.workers[i];
            if (worker.group != me().group || !worker.member || !worker.sleeping) continue;
            found = true;
            go([&](Scene& next, Thread& me) {
                rouse(next.workers[i]);
                finish(me);
            });
        }
        if (!found) go([this](Scene&, Thread& me) { finish(me); });
    }

    /// Who asked to stop has found the loop idle. It ends it there and then, unless an event has
    /// come or somebody else holds the domain.
    void retire() {
        go([](Scene&, Thread& me) { me.at = At::let_run; });
        if (before_.loops[me().loop].pending != 0) return;
        go([](Scene& next, Thread& me) {
            next.loops[me.loop].closed = true;
            me.at = At::stopped;
        });
    }

    /// What leads to one scene only.
    void proceed(Scene& next, Thread& me) const {
        switch (me.at) {
            case At::look_queue:
            case At::look_injector:
                sleep(next, me);
                break;
            case At::begin:
            case At::look_moved:
            case At::end:
                run(next, me, next.loops[me.loop]);
                break;
            case At::give_back:
            case At::hand:
            case At::inject:
                pass_on(next, me, next.loops[me.loop]);
                break;
            case At::rouse:
                rouse(next.workers[me.worker]);
                finish(me);
                break;
            default:
                wake(next, me, next.loops[me.loop]);
        }
    }

    void sleep(Scene& next, Thread& me) const {
        const bool at_queue = me.at == At::look_queue;
        const bool found = at_queue ? own().queue != 0 || own().leaving
                                    : before_.groups[own().group].injector != 0;
        if (found) return wake_up(next, me);
        me.at = at_queue ? At::look_injector : At::wait;
    }

    void wake_up(Scene& next, Thread& me) const {
        WorkerModel& worker = next.workers[index_];
        worker.kicked = worker.sleeping = false;
        --next.groups[worker.group].sleepers;
        me.at = At::choose;
    }

    void begin(Scene& next, Thread& me) const {
        LoopModel& loop = next.loops[me.loop];
        loop.home = small(index_);
        change(loop, step_run(loop.word, static_cast<std::uint16_t>(index_)));
        if (loop.running++ != 0) next.wrong = Wrong::run_twice;
        if (loop.closed) next.wrong = Wrong::run_after_stop;
        me.last = loop.word.has(LoopWord::stopping);
        me.at = At::handle;
    }

    void run(Scene& next, Thread& me, LoopModel& loop) const {
        switch (me.at) {
            case At::begin:
                begin(next, me);
                break;
            case At::look_moved:
                me.more = me.more || loop.group != own().group;
                me.at = At::end;
                break;
            default: {
                const bool again = change(loop, step_done(loop.word, me.more));
                --loop.running;
                me.more = false;
                if (again) return queue_own(next, me);
                finish(me);
            }
        }
    }

    void finish_unless(bool goes_on, Thread& me, At at) const {
        if (goes_on) {
            me.at = at;
        } else {
            finish(me);
        }
    }

    void pass_on(Scene& next, Thread& me, LoopModel& loop) const {
        switch (me.at) {
            case At::give_back:
                add_to(next.workers[me.worker].queue, me.loop);
                me.at = At::rouse;
                break;
            case At::hand: {
                WorkerModel& to = next.workers[me.worker];
                const bool takes = to.member || wrong_is(Fault::hands_to_anyone);
                if (!takes) return queue_own(next, me);
                add_to(to.queue, me.loop);
                me.at = At::rouse;
                break;
            }
            default:  // inject
                if (me.group == none) me.group = loop.group;
                add_to(next.groups[me.group].injector, me.loop);
                me.at = At::rouse_one;
                if (wrong_is(Fault::drop_wakes_nobody)) finish(me);
        }
    }

    void wake(Scene& next, Thread& me, LoopModel& loop) const {
        switch (me.at) {
            case At::wake: {
                const LoopWord before = loop.word;
                const bool enqueue = change(loop, step_wake(before));
                const bool marked = before.state == LoopState::running;
                if (marked && wrong_is(Fault::no_notified)) loop.word = before;
                finish_unless(enqueue, me, At::push_home);
                break;
            }
            case At::ask_stop: {
                const bool idle = loop.word.state == LoopState::idle;
                change(loop, step_ask_stop(loop.word));
                me.at = idle ? At::retire : At::wake;
                if (idle && loop.running++ != 0) next.wrong = Wrong::run_twice;
                if (!idle && wrong_is(Fault::stop_without_wake)) finish(me);
                break;
            }
            case At::stopped:
                loop.home = none;
                change(loop, step_stopped(loop.word));
                --loop.running;
                me.last = me.last && me.runs != none;
                finish(me);
                break;
            case At::let_run:
                change(loop, step_done(loop.word, true));
                --loop.running;
                me.at = At::push_home;
                break;
            default:  // push_home
                if (loop.home == none) {
                    next.wrong = Wrong::homeless;
                    break;
                }
                me.worker = loop.home;
                add_to(next.workers[loop.home].queue, me.loop);
                me.at = At::rouse;
                if (wrong_is(Fault::no_kick)) finish(me);
        }
    }

    const Scheduler& model_;
    const Scene& before_;
    unsigned index_;
    std::vector<Scene>& out_;
};

Scene Scheduler::start() const {
    Scene scene;
    for (unsigned i = 0; i < workers_count; ++i)
        scene.workers[i].group = script_.groups[i];
    for (unsigned i = 0; i < loops_count; ++i) {
        scene.loops[i].word.owner = static_cast<std::uint16_t>(i);
        scene.loops[i].home = small(i);
        scene.loops[i].group = script_.groups[i];
    }
    scene.threads[outside].at = At::next_order;
    if (script_.giver == Giver::handlers) {  // the first of them is about to run
        scene.loops[0].pending = 1;
        change(scene.loops[0], step_wake(scene.loops[0].word));
        add_to(scene.workers[0].queue, 0);
    }
    rename(scene);
    return scene;
}

void Scheduler::step(const Scene& scene, std::size_t thread, std::vector<Scene>& out) const {
    Step(*this, scene, static_cast<unsigned>(thread), out).take();
}

void Scheduler::rename(Scene& scene) const {
    const auto homes = [&scene](unsigned worker) {
        std::uint8_t loops = 0;
        for (unsigned loop = 0; loop < loops_count; ++loop)
            if (scene.loops[loop].home == worker) add_to(loops, loop);
        return loops;
    };
    std::array<unsigned, workers_count> order{};
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](unsigned left, unsigned right) {
        const auto key = [&](unsigned worker) {
            return std::make_tuple(scene.workers[worker], homes(worker), scene.threads[worker]);
        };
        return key(left) < key(right);
    });
    const Scene before = scene;
    std::array<std::uint8_t, workers_count> place{};
    for (unsigned i = 0; i < workers_count; ++i) {
        place[order[i]] = small(i);
        scene.workers[i] = before.workers[order[i]];
        scene.threads[i] = before.threads[order[i]];
    }
    for (LoopModel& loop : scene.loops) {
        if (loop.home != none) loop.home = place[loop.home];
        if (loop.word.owner < workers_count) loop.word.owner = place[loop.word.owner];
        // Whoever runs it next writes it before anybody reads it.
        if (loop.word.state == LoopState::ready) loop.word.owner = LoopWord::no_owner;
    }
    for (Thread& thread : scene.threads)
        if (thread.worker != none) thread.worker = place[thread.worker];
}

std::string_view Scheduler::broken(const Scene& scene) const {
    for (unsigned loop = 0; loop < loops_count; ++loop) {
        unsigned queues = 0;
        for (const WorkerModel& worker : scene.workers)
            queues += stands_in(worker.queue, loop) ? 1 : 0;
        for (const GroupModel& group : scene.groups)
            queues += stands_in(group.injector, loop) ? 1 : 0;
        if (queues > 1) return "in two queues";
    }
    switch (scene.wrong) {
        case Wrong::nothing:
            return "";
        case Wrong::popped_not_ready:
            return "popped not READY";
        case Wrong::run_twice:
            return "two threads run one loop";
        case Wrong::run_after_stop:
            return "run after stop";
        case Wrong::homeless:
            return "queued for no thread";
    }
    return "";
}

/// Nobody can move any more: everything must have been done, and each loop be where it belongs.
std::string_view Scheduler::stuck(const Scene& scene) const {
    for (const GroupModel& group : scene.groups)
        if (group.injector != 0) return "nobody takes what was dropped";
    for (unsigned i = 0; i < workers_count; ++i) {
        if (scene.workers[i].queue != 0) return "sleeps with work queued";
        if (scene.workers[i].leaving && scene.threads[i].at != At::gone) return "does not leave";
    }
    for (const LoopModel& loop : scene.loops) {
        if (loop.word.state == LoopState::stopped) continue;
        if (loop.pending > 0) return "lost notification";
        if (loop.word.has(LoopWord::stopping)) return "lost stop";
        if (loop.word.state != LoopState::idle) return "a loop is neither idle nor stopped";
        if (loop.home == none || loop.word.owner != loop.home) return "without an owner";
        if (scene.threads[loop.home].at == At::gone) return "without an owner";
        if (scene.workers[loop.home].group != loop.group) return "in the wrong group";
    }
    return "";
}

}  // namespace tern::loops::model
