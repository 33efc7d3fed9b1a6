#include "loops/runtime.h"

#include <cstdio>

struct Main {
    static constexpr tern::locking::LockRank rank = 1;
    static constexpr std::string_view name = "main";
};

int main() {
    tern::locking::Domain<Main> domain;
    tern::loops::Runtime runtime({.main_domain = &domain});
    const auto hello = [](void* context, tern::loops::Turn&) {
        std::puts("hello");
        static_cast<tern::loops::Runtime*>(context)->quit();
    };
    tern::loops::Event event(hello, &runtime);
    event.send(runtime.main_loop());
    runtime.run();
}
