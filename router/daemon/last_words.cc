#include "router/daemon/last_words.h"

#include "alloc/page_cache.h"
#include "locking/check.h"

#include <algorithm>
#include <atomic>
#include <new>
#include <utility>

namespace tern::daemon {

namespace {

// A violation handler has no context of its own.
std::atomic<Logger*> log_of_process{nullptr};

/// The thread may have failed with the log in its hands; then its second report is not logged.
void tell(std::string_view report) noexcept {
    locking::print_violation(report);
    static thread_local bool telling = false;
    Logger* log = log_of_process.load(std::memory_order_acquire);
    if (log == nullptr || std::exchange(telling, true)) return;
    while (!report.empty()) {
        const std::string_view line = report.substr(0, report.find('\n'));
        log->submit(Severity::bug, {}, {}, line);
        report.remove_prefix(std::min(line.size() + 1, report.size()));
    }
}

/// The heap has the hooks and the last words of the pages.
void no_heap() {
    alloc::PageCache& pages = alloc::PageCache::process();
    if (!pages.reclaim()) pages.exhausted("block of the heap", locking::Here::now());
}

}  // namespace

LastWords::LastWords(Logger& log) {
    log_of_process.store(&log, std::memory_order_release);
    locking::set_violation_handler(tell);
    std::set_new_handler(no_heap);
}

LastWords::~LastWords() {
    std::set_new_handler(nullptr);
    locking::set_violation_handler(locking::print_violation);
    log_of_process.store(nullptr, std::memory_order_release);
}

}  // namespace tern::daemon
