#include "stress/sim/lab.h"

#include "router/net/prefix_text.h"

#include <algorithm>

namespace tern::sim {

namespace {

constexpr std::uint32_t first_as = 65001;
constexpr std::uint32_t wires = 0x0a000000;            // 10.0.0.0
constexpr std::uint32_t shared_networks = 0x0a800000;  // 10.128.0.0

net::Prefix parse(std::string_view text) {
    return net::parse_prefix(text).value();
}

}  // namespace

Lab::Lab(const NetworkOptions& options) : sim_(control_, options.seed), network_(sim_, options) {}

unsigned Lab::add_router() {
    const auto number = static_cast<unsigned>(nodes_.size());
    Host& host = network_.add_host(fmt::format("r{}", number + 1));
    nodes_.push_back(std::make_unique<Node>(Node::Parts{sim_, control_, host}));
    topology_.as_numbers.push_back(first_as + number);
    return number;
}

unsigned Lab::add_edge(unsigned a, unsigned b, const LinkOptions& options) {
    const auto number = static_cast<std::uint32_t>(links_.size());
    const net::IpAddress near = net::IpAddress::v4(wires + (number << 8) + 1);
    const net::IpAddress far = net::IpAddress::v4(wires + (number << 8) + 2);
    return connect({{a, b}, {near, far}, true}, options);
}

unsigned Lab::add_port(unsigned hub, unsigned router, const LinkOptions& options) {
    const std::uint32_t network = shared_networks + (hub << 8);
    return connect({{hub, router},
                    {net::IpAddress::v4(network + 1), net::IpAddress::v4(network + 2 + router)},
                    true},
                   options);
}

unsigned Lab::connect(Topology::Edge edge, const LinkOptions& options) {
    Node& near = *nodes_[edge.routers[0]];
    Node& far = *nodes_[edge.routers[1]];
    links_.push_back(
        &network_.add_link(near.host(), edge.addresses[0], far.host(), edge.addresses[1], options));
    topology_.edges.push_back(edge);
    near.take_interfaces();
    far.take_interfaces();
    return static_cast<unsigned>(links_.size() - 1);
}

void Lab::originate(unsigned router, std::string_view prefix) {
    topology_.origins.push_back({router, parse(prefix)});
}

void Lab::withdraw(unsigned router, std::string_view prefix) {
    std::erase_if(topology_.origins, [&](const Topology::Origin& each) {
        return each.router == router && each.prefix == parse(prefix);
    });
}

std::string Lab::configuration(unsigned router) const {
    std::string text =
        fmt::format("router id 10.255.0.{};\nprotocol static origin {{ ipv4;\n", router + 1);
    for (const Topology::Origin& each : topology_.origins) {
        if (each.router != router) continue;
        text += fmt::format("    route {} blackhole{};\n", each.prefix.to_string(),
                            dress == nullptr ? std::string() : dress(each.prefix));
    }
    text += "}\n";
    for (std::size_t i = 0; i < topology_.edges.size(); ++i) {
        const Topology::Edge& edge = topology_.edges[i];
        for (unsigned end = 0; end < 2; ++end) {
            if (edge.routers[end] != router) continue;
            text += fmt::format(
                "protocol bgp edge{} {{\n    local {} as {};\n    neighbor {} as {};\n    {}\n"
                "    ipv4 {{ import all; export all; }};\n}}\n",
                i + 1, edge.addresses[end].to_string(), topology_.as_numbers[router],
                edge.addresses[1 - end].to_string(), topology_.as_numbers[edge.routers[1 - end]],
                extra_options);
        }
    }
    return text;
}

std::string Lab::configure(unsigned router) {
    return nodes_[router]->configure(configuration(router));
}

std::string Lab::configure_all() {
    std::string errors;
    for (unsigned i = 0; i < nodes_.size(); ++i)
        errors += configure(i);
    return errors;
}

void Lab::cut(unsigned edge) {
    network_.cut(*links_[edge]);
    topology_.edges[edge].up = false;
}

void Lab::heal(unsigned edge) {
    network_.heal(*links_[edge]);
    topology_.edges[edge].up = true;
}

std::string Lab::wrong() {
    std::string result;
    for (unsigned i = 0; i < nodes_.size(); ++i)
        result += wrong(i);
    return result;
}

std::string Lab::wrong(unsigned router) {
    std::string result;
    Node& node = *nodes_[router];
    for (const std::string& each : complaints(topology_, router, node.best_routes("master4")))
        result += fmt::format("{}: {}\n", node.name(), each);
    return result;
}

std::string Lab::converge(loops::Duration limit) {
    const loops::Instant end = sim_.clock().now() + limit;
    for (;;) {
        std::string result = wrong();
        if (result.empty() || sim_.clock().now() >= end) return result;
        sim_.run_for(loops::milliseconds(250));
    }
}

bool Lab::shut_down() {
    for (const auto& each : nodes_)
        each->shutdown();
    return sim_.run_while_not(
        [&] {
            return std::all_of(nodes_.begin(), nodes_.end(),
                               [](const auto& each) { return each->finished(); });
        },
        loops::seconds(60));
}

std::string Lab::logs() const {
    std::string result;
    for (const auto& each : nodes_) {
        for (const std::string& line : each->log_lines())
            result += fmt::format("{} {}\n", each->name(), line);
    }
    return result;
}

}  // namespace tern::sim
