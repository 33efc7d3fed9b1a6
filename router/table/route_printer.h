#pragma once
/// One route as `show route` and `show route all` print it, for text and JSON at once.
/// Made by a show reply, used in the main loop without any table's domain. Names of interfaces are
/// remembered for the life of the printer. It never decides what is shown.

#include "router/attr/next_hop.h"
#include "router/base/time_format.h"
#include "router/cli/output.h"
#include "router/table/show_route.h"

#include <string>
#include <string_view>
#include <unordered_map>

namespace tern::table {

struct PrintedRoute {
    const net::Prefix& prefix;
    const RouteValue& route;
    const SourceOwner& owner;
    attr::AttributeList& attributes;  ///< as a filter may have changed them
    std::uint16_t preference;         ///< likewise
    bool best = false;
    bool with_network = true;  ///< first shown of its prefix: later ones have blanks there
};

class RoutePrinter {
  public:
    struct Style {
        TimeFormat time_format;
        bool attributes = false;
        bool v2_attributes = false;
    };

    RoutePrinter(const ShowRouteServices& services, Style style)
        : services_(services), style_(std::move(style)) {}

    void print(cli::Output& out, const PrintedRoute& route);

  private:
    void print_line(cli::Output& out, const PrintedRoute& route);
    void print_next_hops(cli::Output& out, const PrintedRoute& route);
    void print_hop(cli::Output& out, const attr::NextHop& hop, bool with_weight);
    void print_attributes(cli::Output& out, const PrintedRoute& route);
    void print_attribute(cli::Output& out, const attr::AttributeRef& attribute);
    [[nodiscard]] std::string_view interface_name(std::uint32_t index);
    [[nodiscard]] std::string time_text(loops::Instant at) const;

    ShowRouteServices services_;
    Style style_;
    std::unordered_map<std::uint32_t, std::string> interfaces_;
    std::string value_;
};

}  // namespace tern::table
