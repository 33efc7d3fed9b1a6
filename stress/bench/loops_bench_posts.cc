// Rows P1 and P2: posting from one or two threads to a loop of another.

#include "loops/mailbox.h"
#include "stress/bench/loops_fixture.h"
#include "stress/bench/measure.h"
#include "stress/bench/suite.h"

#include <atomic>
#include <deque>
#include <optional>
#include <thread>
#include <type_traits>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/lockfree/queue.hpp>

namespace tern::bench {
namespace {

constexpr std::size_t posts = 2'000'000;
constexpr std::size_t ring_events = 65536;  ///< of one producer, each sent again when it has run

/// Of what the consumer has got: in a line of its own, so that its writing disturbs no producer who
/// reads what stands beside it.
struct alignas(64) Seen {
    std::size_t count = 0;
};

double per_post(double ns) {
    return ns / static_cast<double>(posts);
}

/// Events are reused, as an owner's are; one that has not run yet makes the producer wait.
Sample tern_posting(unsigned producers) {
    Machine machine(workers(1));
    OwnLoop target(machine.group, "target");
    Seen seen;
    double ns = 0;
    Job finished([&](loops::Turn&) { machine.runtime.quit(); });

    struct Counter {
        std::size_t* seen;
        loops::Event* finished;
        loops::Loop* main;

        static void count(void* self, loops::Turn&) {
            auto& counter = *static_cast<Counter*>(self);
            if (++*counter.seen == posts) counter.finished->send(*counter.main);
        }
    } counter{&seen.count, &finished.event, &machine.runtime.main_loop()};

    std::deque<loops::Event> events;
    for (std::size_t i = 0; i < producers * ring_events; ++i)
        events.emplace_back(Counter::count, &counter);
    std::vector<std::thread> threads;
    Clock::time_point start;
    machine.run([&](loops::Turn&) {
        start = Clock::now();
        for (unsigned p = 0; p < producers; ++p) {
            threads.emplace_back([&, p] {
                for (std::size_t i = 0; i < posts / producers; ++i) {
                    loops::Event& event = events[p * ring_events + i % ring_events];
                    while (event.send(target.loop) == loops::Sent::already)
                        std::this_thread::yield();
                }
            });
        }
    });
    ns = ns_since(start);
    for (std::thread& thread : threads)
        thread.join();
    return per_post(ns);
}

template <class Executor>
Sample asio_posting(boost::asio::io_context& context, Executor executor, unsigned producers) {
    Seen seen;
    auto guard = std::optional(boost::asio::make_work_guard(context));
    std::thread consumer([&] { context.run(); });
    std::vector<std::thread> threads;
    const double ns = time_ns([&] {
        for (unsigned p = 0; p < producers; ++p) {
            threads.emplace_back([&] {
                for (std::size_t i = 0; i < posts / producers; ++i)
                    boost::asio::post(executor, [&seen] { ++seen.count; });
            });
        }
        for (std::thread& thread : threads)
            thread.join();
        guard.reset();
        consumer.join();
    });
    keep(seen.count);
    return per_post(ns);
}

Sample asio_context_posting(unsigned producers) {
    boost::asio::io_context context{1};
    return asio_posting(context, context.get_executor(), producers);
}

Sample asio_strand_posting(unsigned producers) {
    boost::asio::io_context context{1};
    return asio_posting(context, boost::asio::make_strand(context), producers);
}

Sample lockfree_posting(unsigned producers) {
    boost::lockfree::queue<void*> queue(65'534);
    Seen seen;
    std::vector<std::thread> threads;
    return per_post(time_ns([&] {
        for (unsigned p = 0; p < producers; ++p) {
            threads.emplace_back([&] {
                for (std::size_t i = 0; i < posts / producers; ++i) {
                    while (!queue.push(&seen.count))
                        std::this_thread::yield();
                }
            });
        }
        void* item = nullptr;
        while (seen.count < posts / producers * producers) {
            if (queue.pop(item)) {
                ++seen.count;
            } else {
                std::this_thread::yield();
            }
        }
        for (std::thread& thread : threads)
            thread.join();
    }));
}

/// The same number of messages through a mailbox of as many places.
Sample tern_mailbox_posting(unsigned producers) {
    Machine machine(workers(1));
    OwnLoop target(machine.group, "target");
    Seen seen;
    Job finished([&](loops::Turn&) { machine.runtime.quit(); });

    struct Receiver {
        loops::Event* finished;
        loops::Loop* main;

        static void receive(void* self, loops::Turn&, std::size_t*& counter) {
            auto& receiver = *static_cast<Receiver*>(self);
            if (++*counter == posts) receiver.finished->send(*receiver.main);
        }
    } receiver{&finished.event, &machine.runtime.main_loop()};

    loops::Mailbox<std::size_t*> mailbox(target.loop, producers * ring_events, Receiver::receive,
                                         &receiver);
    std::vector<std::thread> threads;
    Clock::time_point start;
    machine.run([&](loops::Turn&) {
        start = Clock::now();
        for (unsigned p = 0; p < producers; ++p) {
            threads.emplace_back([&] {
                for (std::size_t i = 0; i < posts / producers; ++i) {
                    std::size_t* counter = &seen.count;
                    while (!mailbox.post(std::move(counter)))
                        std::this_thread::yield();
                }
            });
        }
    });
    const double ns = ns_since(start);
    for (std::thread& thread : threads)
        thread.join();
    const loops::LoopEntry entry(target.loop);
    mailbox.clear();
    return per_post(ns);
}

#ifdef TERN_BENCH_LIBUV
/// A message that carries nothing but where to count.
struct Plain {
    static bool claim(Plain&) { return true; }

    static void let_go(Plain&) {}

    std::size_t* counter;
};

/// One that is queued at most once, as an event is.
struct Once {
    static bool claim(Once& once) { return !once.queued.exchange(true); }

    static void let_go(Once& once) { once.queued.exchange(false); }

    std::size_t* counter;
    std::atomic<bool> queued{false};
};

/// The usual way with libuv: a guarded deque that the woken loop swaps out. Messages are reused as
/// tern's events are; plain ones need not have run before they are queued again.
template <class Message>
struct UvPosting {
    explicit UvPosting(unsigned producers) {
        for (std::size_t i = 0; i < producers * messages_each; ++i)
            messages.emplace_back().counter = &seen.count;
        uv_loop_init(&loop);
        uv_async_init(&loop, &async, woken);
        async.data = this;
        std::vector<std::thread> threads;
        ns = time_ns([&] {
            for (unsigned p = 0; p < producers; ++p) {
                threads.emplace_back([&, p] {
                    for (std::size_t i = 0; i < posts / producers; ++i) {
                        Message& message = messages[p * messages_each + i % messages_each];
                        while (!Message::claim(message))
                            std::this_thread::yield();
                        {
                            const std::lock_guard lock(mutex);
                            incoming.push_back(&message);
                        }
                        uv_async_send(&async);
                    }
                });
            }
            uv_run(&loop, UV_RUN_DEFAULT);
        });
        for (std::thread& thread : threads)
            thread.join();
        uv_loop_close(&loop);
    }

    static void woken(uv_async_t* handle) {
        auto& self = *static_cast<UvPosting*>(handle->data);
        std::deque<Message*> batch;
        {
            const std::lock_guard lock(self.mutex);
            batch.swap(self.incoming);
        }
        for (Message* message : batch) {
            std::size_t* const counter = message->counter;
            Message::let_go(*message);
            ++*counter;
        }
        if (self.seen.count == posts) uv_close(reinterpret_cast<uv_handle_t*>(handle), nullptr);
    }

    static constexpr std::size_t messages_each = std::is_same_v<Message, Once> ? ring_events : 1;
    std::deque<Message> messages;
    uv_loop_t loop{};
    uv_async_t async{};
    std::mutex mutex;
    std::deque<Message*> incoming;
    Seen seen;
    double ns = 0;
};
#endif

void add_posting_row(Suite& suite, unsigned producers, Row row) {
    row.group = "events";
    row.unit = "ns";
    row.rounds = 10;
    Row& posting = suite.add(std::move(row));
    posting.add("tern", [producers] { return tern_posting(producers); });
    posting.add("tern mailbox", [producers] { return tern_mailbox_posting(producers); });
    posting.add("asio", [producers] { return asio_context_posting(producers); });
    posting.add("asio strand", [producers] { return asio_strand_posting(producers); });
#ifdef TERN_BENCH_LIBUV
    posting.add("libuv", [producers] { return per_post(UvPosting<Plain>(producers).ns); });
    posting.add("libuv, each once",
                [producers] { return per_post(UvPosting<Once>(producers).ns); });
#else
    posting.leave_out("libuv", "not installed");
    posting.leave_out("libuv, each once", "not installed");
#endif
    posting.add("lockfree::queue", [producers] { return lockfree_posting(producers); });
}

}  // namespace

void add_posting_rows(Suite& suite) {
    add_posting_row(suite, 1,
                    {.id = "P1",
                     .text = "post 2 M events from another thread",
                     .target = {.value = 6, .ratio = 0.5, .peer = "libuv"}});
    add_posting_row(suite, 2,
                    {.id = "P2",
                     .text = "post 2 M events from two other threads",
                     .target = {.value = 15, .ratio = 0.125, .peer = "lockfree::queue"}});
}

}  // namespace tern::bench
