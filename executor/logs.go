package executor

import (
	"context"
	"encoding/json"
	"io"
	"time"
)

// The levels of log lines.
const (
	LogDebug = "debug"
	LogInfo  = "info"
	LogWarn  = "warn"
	LogError = "error"
)

// Log is one log line of a step. Lines are kept beside the journal, apart from its
// transactions: the last ones may be lost when the process is killed.
type Log struct {
	ID        string // log_…; sorts by the order in which lines were kept
	RunID     string
	StepID    string
	Iteration string          // path of the loop iteration; "" outside of loops
	Attempt   int             // when the step wrote it
	Level     string          // debug, info, warn, error
	Category  string          // where it comes from, such as stdout or agent
	Message   string          // without secrets, at most 8 KiB
	Data      json.RawMessage // without secrets; nil: none
	At        time.Time
}

// LogQuery selects lines of one run, oldest first unless Newest. Zero values do not filter.
// Cursor is LogPage.Next of the same query; "" begins with the first line.
type LogQuery struct {
	RunID     string
	StepID    string // "": of all steps
	Iteration string
	Attempt   int // from 1; 0: of all attempts
	Level     string
	Category  string
	Contains  string // folded as store.searchText folds; "": any
	Newest    bool   // from the last line backwards
	// After begins behind the line of this id, whether it is selected or not; "": with the
	// first. It excludes Cursor and Newest.
	After string
	// FromEnd selects the last Limit lines, in the order in which they were kept, and then acts as
	// Tail. It excludes Cursor and Newest.
	FromEnd bool
	// Tail: LogPage.Next is set on the last page too, where the lines that come later will be.
	Tail   bool
	Limit  int // lines of a page at most
	Cursor string
}

// LogPage is one page of lines. Next is empty on the last page, but for a tail. With
// LogQuery.Contains a page that is not the last may hold fewer lines than its limit, or none.
type LogPage struct {
	Logs []Log
	Next string
}

// Logs takes log lines of an attempt in flight: secrets are taken out, lines are cut
// at 8 KiB, and after 10,000 lines or 1 MiB of an attempt the rest is only counted.
// Its methods neither fail nor wait for the store, and are safe for concurrent use.
type Logs interface {
	// Line keeps one line. Data is any JSON, or nil.
	Line(level, category, message string, data json.RawMessage)
	// Stream returns a writer each of whose lines is kept. It never fails.
	Stream(level, category string) io.Writer
}

// Logs reads a page of a run's lines, those included that this node has not written yet; of
// another node the lines of the last moment may be missing. Another tenant's run is
// fault.NotFound run_not_found, a strange cursor fault.Malformed.
func (s *Reader) Logs(ctx context.Context, tenantID string, q LogQuery) (LogPage, error) {
	if _, err := s.cfg.Store.Run(ctx, tenantID, q.RunID); err != nil {
		return LogPage{}, err
	}
	s.logs.flush(ctx)
	return s.cfg.Store.Logs(ctx, q)
}
