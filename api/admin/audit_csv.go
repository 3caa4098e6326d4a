package admin

import (
	"encoding/csv"
	"heddle/access"
	"heddle/api/core"
	"heddle/audit"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of a download of the audit trail: its lines, and the pages that it reads, which with
// some filters hold few of the lines that they look at.
const (
	maxAuditLines = 100_000
	maxAuditPages = 2_000
)

// auditColumns are the names of the columns, which are the first line.
func auditColumns() []string {
	return []string{"at", "actor_type", "actor_id", "actor", "action", "object", "object_slug", "reason", "detail", "request_id", "id"}
}

// downloadAudit sends all lines of a query as CSV, page by page, up to the bounds. Where more may
// match, the last line says so in its only cell, with the time to go on before.
func (h *observers) downloadAudit(c *core.Call, ask access.AuditQuery) error {
	ask.Limit = core.MaxLimit
	entries, next, err := h.Access.Audit(c.Ctx(), ask)
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Content-Disposition", `attachment; filename="audit.csv"`)
	c.Writer.Header().Set("Vary", "Accept")
	const media = core.CSV + "; charset=utf-8; header=present"
	if c.Request.Method == http.MethodHead {
		c.Writer.Header().Set("Content-Type", media)
		return c.ReplyStatus(http.StatusOK)
	}
	return c.StreamText(media, func(out io.Writer, _ func() error) error {
		w := csv.NewWriter(out)
		// What the writer refuses to write it reports by Flush and Error.
		_ = w.Write(auditColumns())
		more, lines := "more lines may match: narrow from and to", 0
		for pages := 1; ; pages++ {
			for _, e := range entries {
				_ = w.Write(auditCells(e))
				// Lines of that millisecond come again: some of them may not be here.
				more = "more lines may match: repeat the request with to=" + timeCell(e.At.Add(time.Millisecond))
			}
			if lines += len(entries); next == "" {
				break
			}
			if lines+ask.Limit > maxAuditLines || pages == maxAuditPages {
				_ = w.Write([]string{more})
				break
			}
			w.Flush()
			ask.Cursor = next
			if entries, next, err = h.Access.Audit(c.Ctx(), ask); err != nil {
				return err
			}
		}
		w.Flush()
		return w.Error()
	})
}

// timeCell returns a time as answers show it.
func timeCell(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// auditCells returns an entry as a line, in the order of auditColumns.
func auditCells(e audit.Entry) []string {
	b := auditEntryOf(e)
	cells := []string{timeCell(e.At), b.ActorType, b.ActorID, b.Actor, b.Action, b.Object, b.ObjectSlug, b.Reason, string(b.Detail), b.RequestID, b.ID}
	for i, text := range cells {
		cells[i] = safeCell(text)
	}
	return cells
}

// safeCell returns a text as spreadsheets show it and do not calculate it: one that begins with a
// character by which a formula begins there gets a quotation mark in front, as OWASP's page on
// CSV injection advises.
func safeCell(text string) string {
	first, _ := utf8.DecodeRuneInString(text)
	if text != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + text
	}
	return text
}
