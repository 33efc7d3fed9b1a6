#include "router/daemon/commands.h"
#include "router/daemon/router.h"

#include <fmt/format.h>

namespace tern::daemon {

namespace {

using cli::CommandContext;
using cli::Field;
using cli::ReplyCode;

double seconds(loops::Duration span) {
    return static_cast<double>(span.microseconds()) / 1e6;
}

void show_thread(cli::Output& out, const loops::ThreadReport& thread, unsigned number) {
    const std::string id = fmt::format("{:04x}", number);
    out.begin("thread");
    out.line(
        ReplyCode::threads,
        "{id}{busy_text:<7} {working:>14.3} s {overhead:>11.3} s {idle:>11.3} s {loops:>7}  "
        "{group}",
        {Field{"id", id},
         Field{"busy_text", thread.busy ? " [busy]" : "", cli::Audience::text_only},
         Field{"working", seconds(thread.working)}, Field{"overhead", seconds(thread.overhead)},
         Field{"idle", seconds(thread.idle)}, Field{"loops", thread.loops.size()},
         Field{"group", thread.group}, Field{"busy", thread.busy}});
    out.end();
}

void show_thread_all(cli::Output& out, const loops::ThreadReport& thread, unsigned number) {
    const std::string id = fmt::format("{:04x}", number);
    out.begin("thread");
    out.line(ReplyCode::threads, "Thread {id}  (group {group}{busy_text})",
             {Field{"id", id}, Field{"group", thread.group},
              Field{"busy_text", thread.busy ? ", busy" : "", cli::Audience::text_only},
              Field{"busy", thread.busy}});
    for (const loops::LoopReport& loop : thread.loops) {
        out.begin("loops");
        out.line(ReplyCode::threads, "  Loop {name}", {Field{"name", loop.name}});
        out.line(ReplyCode::threads, "    Working  total time: {working:>9.3} s",
                 {Field{"working", seconds(loop.used)}});
        out.end();
    }
    out.line(ReplyCode::threads, "  Total working time: {working:.3} s",
             {Field{"working", seconds(thread.working)}});
    out.line(ReplyCode::threads, "    Overhead total time: {overhead:>9.3} s",
             {Field{"overhead", seconds(thread.overhead)}});
    out.line(ReplyCode::threads, "    Idle     total time: {idle:>9.3} s",
             {Field{"idle", seconds(thread.idle)}});
    out.end();
}

std::string group_text(const loops::GroupReport& group) {
    if (group.waiting == 0) return fmt::format("All loops in group {} are assigned.", group.name);
    return fmt::format("Unassigned {} loops in group {}, the first one for {:.3f} s", group.waiting,
                       group.name, seconds(group.waiting_for));
}

/// One line for each group whose loops are distributed; the last one ends the reply.
void show_groups(cli::Output& out, const std::vector<loops::GroupReport>& groups) {
    std::string last;
    for (const loops::GroupReport& group : groups) {
        if (group.kind == loops::GroupKind::pinned) continue;
        if (!last.empty()) out.text(ReplyCode::threads, last);
        last = group_text(group);
        out.begin("group");
        out.fields({Field{"name", group.name}, Field{"threads", group.threads},
                    Field{"unassigned_loops", group.waiting}});
        out.end();
    }
    out.finish(ReplyCode::threads, last);
}

void show_threads(void* closure, CommandContext& context) {
    if (!context.expect_no_arguments()) return;
    const loops::Runtime& runtime = router_of(closure).runtime();
    cli::Output& out = context.out();
    out.text(ReplyCode::threads,
             "Thread ID       Working         Overhead        Idle        Loops  Group");
    unsigned number = 0;
    for (const loops::ThreadReport& thread : runtime.report_threads())
        show_thread(out, thread, number++);
    show_groups(out, runtime.report_groups());
}

void show_threads_all(void* closure, CommandContext& context) {
    if (!context.expect_no_arguments()) return;
    const loops::Runtime& runtime = router_of(closure).runtime();
    unsigned number = 0;
    for (const loops::ThreadReport& thread : runtime.report_threads())
        show_thread_all(context.out(), thread, number++);
    show_groups(context.out(), runtime.report_groups());
}

}  // namespace

void add_thread_commands(Router& router) {
    const cli::Command rows[] = {
        {"show threads", "", "Show threads and their load", cli::Access::everyone, show_threads,
         &router},
        {"show threads all", "", "Show threads with their loops", cli::Access::everyone,
         show_threads_all, &router},
    };
    router.commands().add(rows);
}

}  // namespace tern::daemon
