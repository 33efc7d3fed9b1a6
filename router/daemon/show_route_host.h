#pragma once
/// What `show route` asks of a Router: its tables, those of a protocol, and what a protocol's
/// channel would be given. One per Router, used in the main loop; it takes a protocol's domain for
/// each question about one. It changes nothing.

#include "router/table/show_route.h"

namespace tern::daemon {

class Router;

class RouterShowHost final : public table::ShowRouteHost {
  public:
    explicit RouterShowHost(Router& router) : router_(router) {}

    table::Table* find_table(std::string_view name) override;
    table::Table* received_table(std::string_view name) override;
    std::vector<table::Table*> all_tables() override;
    std::vector<table::Table*> default_tables() override;
    std::optional<std::vector<table::Table*>> protocol_tables(std::string_view protocol) override;
    Result<std::vector<std::unique_ptr<table::ExportQuery>>> export_queries(
        const ExportRequest& request) override;

  private:
    Router& router_;
};

}  // namespace tern::daemon
