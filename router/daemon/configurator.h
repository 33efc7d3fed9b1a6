#pragma once
/// Which configuration is in force, which one is coming, which one is left for `undo`. Reads files,
/// makes plans, hands them to the router one at a time; a configuration that arrives while a commit
/// is under way waits (only the newest does). Lives in the main loop. It never changes a protocol
/// itself.

#include "loops/timer.h"
#include "router/config/parse_config.h"
#include "router/config/plan.h"

#include <memory>
#include <optional>
#include <string>

namespace tern::daemon {

/// Carries plans out.
class ConfiguratorHost {
  public:
    virtual void commit(const config::Plan& plan, const config::Config& next) = 0;
    /// A commit is under way.
    [[nodiscard]] virtual bool busy() const = 0;
    /// A configuration on trial was not confirmed in time.
    virtual void undo_begins() = 0;

  protected:
    ~ConfiguratorHost() = default;
};

class Configurator {
  public:
    struct Parts {
        config::SourceReader& files;
        const config::SyntaxRegistry& syntax;
        ConfiguratorHost& host;
    };

    Configurator(loops::Loop& main_loop, const Parts& parts);
    Configurator(const Configurator&) = delete;
    Configurator& operator=(const Configurator&) = delete;

    /// Reads and checks a file. The error has file, line and column.
    [[nodiscard]] config::ParsedConfig read(const std::string& path) const;

    /// `removed`: what waited for the present commit does so no more.
    enum class Outcome : std::uint8_t { done, in_progress, queued, removed, nothing };

    struct How {
        bool soft = false;
        std::optional<loops::Duration> undo_after;
    };

    Outcome configure(std::unique_ptr<config::Config> next, const How& how);
    /// Back to the configuration before the last one, once; or what is queued goes.
    Outcome undo();
    /// The router goes down: what is queued, or on trial, changes nothing any more.
    void stop();
    /// Keeps the present configuration: the undo timer stops. False if none runs.
    bool confirm();

    /// In force, or about to be; null before the first one.
    [[nodiscard]] config::Config* running() const { return running_.get(); }

    /// Of the first configuration: what is read when no file is named.
    [[nodiscard]] const std::string& file() const { return file_; }

    [[nodiscard]] loops::Instant last_change() const { return last_change_; }

    [[nodiscard]] bool has_queued() const { return waiting_ != Waiting::nothing; }

    /// Until the undo, if one is scheduled.
    [[nodiscard]] std::optional<loops::Duration> undo_in() const;
    /// What `configure check` shows: what would happen.
    [[nodiscard]] config::Plan plan_for(const config::Config& next, bool soft) const;

    /// The host's commit has ended.
    void commit_finished();

  private:
    /// What follows the commit under way.
    enum class Waiting : std::uint8_t { nothing, configuration, undo };

    Outcome begin(std::unique_ptr<config::Config> next, bool soft);
    void forget_queued();
    static void on_undo(void* configurator, loops::Turn& turn);

    loops::Loop& loop_;
    Parts parts_;
    std::unique_ptr<config::Config> running_;
    std::unique_ptr<config::Config> previous_;  // for undo; also still used while a commit runs
    std::unique_ptr<config::Config> queued_;
    std::string file_;
    Waiting waiting_ = Waiting::nothing;
    bool queued_soft_ = false;
    bool can_undo_ = false;
    bool last_soft_ = false;
    loops::Instant last_change_;
    loops::Timer undo_timer_;
};

}  // namespace tern::daemon
