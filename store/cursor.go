package store

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"heddle/fault"
)

// position is where a list stopped: the last row's sort key and id.
type position struct {
	Key int64  `json:"k"`
	ID  string `json:"i"`
}

// cursor is a position together with a fingerprint of the list it belongs to.
type cursor struct {
	position
	List string `json:"l"`
}

// listFingerprint fingerprints a list by its kind and filters, so that a cursor taken
// from another list is recognised.
func listFingerprint(kind string, filters ...any) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q", kind, fmt.Sprintf("%#v", filters)))
	return hex.EncodeToString(sum[:6])
}

// encodeCursor writes a position as an opaque URL-safe text.
func encodeCursor(list string, p position) string {
	text, err := json.Marshal(cursor{position: p, List: list})
	if err != nil {
		return "" // a string and a number always encode
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// decodeCursor reads a cursor of that list; "" is the list's beginning (nil).
func decodeCursor(list, text string) (*position, error) {
	if text == "" {
		return nil, nil
	}
	var c cursor
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil || c.ID == "" {
		return nil, fault.New(fault.Malformed, "invalid_request", "cursor is not one that this API gave. Start again without it.")
	}
	if c.List != list {
		return nil, fault.New(fault.Malformed, "invalid_request", "cursor belongs to a list with other filters. Start again without it.")
	}
	return &c.position, nil
}

// trimPage takes the row away that was read beyond a page of limit rows, and
// gives the cursor behind the page's last one, "" where no row is beyond it.
func trimPage[R any](list string, rows []R, limit int, at func(R) position) (page []R, next string) {
	if len(rows) <= limit {
		return rows, ""
	}
	return rows[:limit], encodeCursor(list, at(rows[limit-1]))
}
