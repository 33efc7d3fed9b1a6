#pragma once
/// One reader of a table's changes: a channel, an export group, next-hop resolution, a monitor.
/// It goes through the whole table once (a feed) and then through the journal, at its own speed; it
/// asks for the present routes of each prefix, so a reader that lags sees fewer, not older,
/// changes, and looks once at a prefix that changed often. A reader that fell off the journal feeds
/// anew. It remembers, as one bit per prefix,
/// what its user announced, so that a prefix that is gone is reported once and a feed finds what
/// has to be withdrawn. Owned by its user and used only from the user's loop; the table sends
/// `news` when an idle reader has something to read again.

#include "loops/event.h"
#include "router/base/bitmap.h"
#include "router/table/table.h"

#include <span>
#include <vector>

namespace tern::table {

enum class ReadMode : std::uint8_t {
    best,  ///< one item per prefix: its best usable route
    all,   ///< one item per usable route, best first; the last of a prefix has `last` set
};

struct ExportItem {
    RouteValue route;  ///< attributes are null if the prefix has no usable route
    bool last = true;  ///< last item of its prefix
};

/// The result of one read: items and the uses that keep them alive. Reused from read to read.
class ExportBatch {
  public:
    explicit ExportBatch(const TableServices& services) : holds_(services) {}

    [[nodiscard]] std::span<const ExportItem> items() const { return items_; }

    void clear() {
        items_.clear();
        holds_.release();
    }

  private:
    friend class ExportReader;
    std::vector<ExportItem> items_;
    RouteHolds holds_;
};

class ExportReader {
  public:
    /// Registers with the table; the first read starts a feed. `news` is sent to `loop`.
    ExportReader(Table& table, ReadMode mode, loops::Event& news, loops::Loop& loop);
    /// Another reader at the place of `other`, with what that one has announced.
    ExportReader(const ExportReader& other, loops::Event& news, loops::Loop& loop);
    ExportReader(const ExportReader&) = delete;
    ExportReader& operator=(const ExportReader&) = delete;
    ~ExportReader();

    enum class Progress : std::uint8_t {
        more,         ///< call again
        end_of_feed,  ///< the feed just ended with this batch; call again
        idle,         ///< nothing left: `news` will be sent
    };

    /// Fills `batch` (cleared first) with up to `count` prefixes.
    Progress read(ExportBatch& batch, std::size_t count);
    /// Goes through the whole table again (changed filter, route refresh).
    void feed_again();
    /// Stops a feed and follows the journal alone, as if all of the table had been seen.
    void skip_feed();

    [[nodiscard]] bool feeding() const { return feeding_; }

    [[nodiscard]] Table& table() const { return table_; }

    [[nodiscard]] bool announced(net::PrefixId id) const {
        return announced_.test(static_cast<std::uint32_t>(id));
    }

    void set_announced(net::PrefixId id, bool on) {
        const auto bit = static_cast<std::uint32_t>(id);
        on ? announced_.set(bit) : announced_.clear(bit);
    }

    [[nodiscard]] std::size_t announced_count() const { return announced_.count(); }

    /// Both are idle, nothing has happened since, and they have announced the same of the table.
    /// Both users' domains are held.
    [[nodiscard]] static bool level(ExportReader& a, ExportReader& b);
    /// Prefixes waiting in the journal; takes the domain.
    [[nodiscard]] std::size_t pending();

    [[nodiscard]] std::uint64_t fell_off() const { return fell_off_; }

  private:
    friend class Table;

    void wake() { news_.send(loop_); }

    /// Ids that died after this may still be met, in the batch in hand or by the feed.
    [[nodiscard]] Journal::Sequence safe_sequence() const { return safe_; }

    void add(ExportBatch& batch, net::PrefixId id) const;
    void read_journal(ExportBatch& batch, std::size_t count);
    void read_feed(ExportBatch& batch, std::size_t count);

    Table& table_;
    ReadMode mode_;
    loops::Event& news_;
    loops::Loop& loop_;
    // Guarded by the table's domain, as the table looks at them.
    bool idle_ = false;
    bool feeding_ = true;
    Journal::Sequence cursor_ = 0;
    Journal::Sequence safe_ = 0;
    // The user's alone.
    std::uint32_t position_ = 0;
    std::size_t seen_ = 0;
    std::uint64_t fell_off_ = 0;
    ChunkedBitmap announced_;
    // A prefix looked at once is in its present state: what the journal says of it up to here,
    // where it ended when the first of these was looked at, is settled.
    Journal::Sequence window_end_ = 0;
    ChunkedBitmap looked_;
};

}  // namespace tern::table
