// kvd: keys and values over TCP on the loopback address; one line in, one line out.
//   set KEY SECONDS VALUE    get KEY    count    quit
// Usage: kvd [PORT]; without a port the kernel chooses one. SIGTERM and SIGINT end it cleanly.

#include "connection.h"
#include "loops/page_upkeep.h"
#include "loops/signals.h"
#include "loops/thread_group.h"

#include <cstdio>
#include <cstdlib>
#include <list>

#include <netinet/in.h>

namespace kvd {

/// The listening socket and the clients. Everything but run() runs in the main loop.
class Server {
  public:
    explicit Server(int fd) : fd_(fd) {
        keep_pages(runtime_, alloc::PageCache::process());
        alloc::PageCache::process().on_exhaustion(alloc::tell_largest, &pool_);
        loops::Loop& main = runtime_.main_loop();
        const loops::LoopEntry entry(main);
        listener_ = std::make_unique<loops::Watcher>(
            main, fd, loops::Interest::readable,
            loops::watch_function<&Server::on_client, Server>(), this);
        signals_ = loops::Signals::make(main, {SIGTERM, SIGINT}, on_signal, this);
        sweep_.every(loops::seconds(1));
    }

    /// Until a signal, and until the last client has gone.
    void run() {
        runtime_.run();
        const loops::LoopEntry entry(runtime_.main_loop());
        signals_.reset();
        sweep_.stop();
    }

  private:
    struct Client {
        Client(Server& top, int fd)
            : server(top), connection(top.pool_, top.workers_, top.store_, fd, {on_closed, this}) {}

        static void on_closed(void* self, loops::Turn&) {
            static_cast<Client*>(self)->server.forget(self);
        }

        Server& server;
        Connection connection;
    };

    void on_client(loops::Turn&, loops::Ready) {
        const int fd = accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) clients_.emplace_back(*this, fd);
    }

    void on_sweep(loops::Turn& turn) {
        auto held = turn.holding(domain_);
        store_.with(held, [&](Values& values, auto&) {
            std::erase_if(values, [&](const auto& one) { return one.second.expiry <= turn.now(); });
        });
    }

    static void on_signal(void* context, loops::Turn&, int) {
        auto& self = *static_cast<Server*>(context);
        self.listener_.reset();
        for (Client& client : self.clients_)
            client.connection.close();
        self.quit_if_done();
    }

    void forget(const void* client) {
        clients_.remove_if([client](const Client& one) { return &one == client; });
        quit_if_done();
    }

    void quit_if_done() {
        if (listener_ == nullptr && clients_.empty()) runtime_.quit();
    }

    loops::FileDescriptor fd_;
    Store store_{"store"};
    locking::Domain<Main> domain_;
    alloc::Pool pool_{domain_, "kvd"};
    loops::Runtime runtime_{loops::RuntimeOptions{.main_domain = &domain_}};
    loops::ThreadGroup& workers_ = runtime_.add_group({.name = "worker", .threads = 2});
    loops::Timer sweep_{runtime_.main_loop(), loops::callback<&Server::on_sweep>(*this)};
    std::unique_ptr<loops::Watcher> listener_;
    std::unique_ptr<loops::Signals> signals_;
    std::list<Client> clients_;
};

}  // namespace kvd

int main(int argc, char** argv) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0));
    auto* const name = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof address;
    if (bind(fd, name, length) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, name, &length) != 0) {
        std::perror("kvd: cannot listen");
        return EXIT_FAILURE;
    }
    kvd::Server server(fd);
    std::printf("port %d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    server.run();
    return EXIT_SUCCESS;
}
