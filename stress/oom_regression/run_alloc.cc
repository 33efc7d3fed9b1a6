#include "stress/oom_regression/heap.h"

#include <barrier>
#include <random>
#include <thread>
#include <vector>

namespace tern::oom {

namespace {

std::unique_ptr<Heap> make_heap(const Options& options) {
    return options.malloc.empty() ? make_alloc_heap(options) : make_malloc_heap();
}

/// Pages alone.
class Pages final : public Workload {
  public:
    explicit Pages(const Options& options)
        : heap_(make_heap(options)), pages_(options.pages), period_(options.period) {}

    std::optional<Memory> cycle() override {
        for (void*& page : pages_) {
            page = heap_->page();
            *static_cast<std::size_t*>(page) = operations_;
            step();
        }
        for (void* page : pages_) {
            heap_->give_page(page);
            step();
        }
        return heap_->sample();
    }

  private:
    void step() {
        if (++operations_ % period_ == 0) heap_->upkeep();
    }

    std::unique_ptr<Heap> heap_;
    std::vector<void*> pages_;
    std::size_t period_;
    std::size_t operations_ = 0;
};

/// Pages, objects, texts and shared objects in threads whose number is another one each cycle; a
/// third of the shared objects is freed by another thread than made them.
class Threads final : public Workload {
  public:
    explicit Threads(const Options& options)
        : heap_(make_heap(options)),
          pages_(options.pages),
          threads_max_(options.threads),
          hands_(options.threads) {
        for (Held& held : hands_) {
            held.objects.assign(pages_ / 4 * objects_per_page, nullptr);
            held.pages.assign(pages_ / 4, nullptr);
        }
        make_room();
    }

    std::optional<Memory> cycle() override {
        const std::size_t count = 1 + random_() % threads_max_;
        std::barrier<> phase(static_cast<std::ptrdiff_t>(count));
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < count; ++i) {
            threads.emplace_back([this, i, count, &phase] {
                work(pages_ / count, hands_[i], hands_[(i + 1) % count].objects, phase);
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        return heap_->sample();
    }

  private:
    static constexpr std::size_t objects_per_page = 63;

    // More than caches of a thread, and its part of the depots, keep for it: each of the shared
    // slots there may hold back a page.
    static constexpr std::size_t pages_of_caches = 512;

    /// How full the caches of threads are when most is needed is chance. So there is room for all
    /// of them from the start; else the cycle in which they are fullest would look like growth.
    void make_room() {
        std::vector<void*> pages(pages_ + threads_max_ * pages_of_caches);
        for (void*& page : pages)
            page = heap_->page();
        for (void* page : pages)
            heap_->give_page(page);
    }

    /// What a thread holds; made once for the largest share, or the C library's heaps would be
    /// measured.
    struct Held {
        std::vector<void*> objects;
        std::vector<void*> pages;
    };

    void work(std::size_t share,
              Held& held,
              const std::vector<void*>& others,
              std::barrier<>& phase) {
        std::vector<void*>& mine = held.objects;
        std::vector<void*>& pages = held.pages;
        mine.clear();
        pages.clear();
        const std::unique_ptr<Hand> hand = heap_->hand();
        // A quarter of the share each for pages, objects, texts and shared objects.
        for (std::size_t page = 0; page < share / 4; ++page) {
            pages.push_back(heap_->page());
            for (std::size_t i = 0; i < objects_per_page; ++i) {
                hand->make_object();
                mine.push_back(heap_->shared_object());
                hand->make_text();
            }
            heap_->upkeep();
        }
        phase.arrive_and_wait();
        for (std::size_t i = 0; i < mine.size(); ++i) {
            if (i % 3 != 0) heap_->give_shared_object(mine[i]);
        }
        phase.arrive_and_wait();
        for (std::size_t i = 0; i < others.size(); i += 3) {
            heap_->give_shared_object(others[i]);
        }
        for (void* page : pages) {
            heap_->give_page(page);
            heap_->upkeep();
        }
    }

    std::unique_ptr<Heap> heap_;
    std::size_t pages_;
    std::size_t threads_max_;
    std::vector<Held> hands_;
    std::mt19937 random_{1};
};

}  // namespace

std::unique_ptr<Workload> make_pages(const Options& options) {
    return std::make_unique<Pages>(options);
}

std::unique_ptr<Workload> make_threads(const Options& options) {
    return std::make_unique<Threads>(options);
}

}  // namespace tern::oom
