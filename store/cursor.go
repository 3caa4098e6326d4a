package store

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"heddle/fault"
	"reflect"
)

// position is where a list stopped: the last row's sort key and its id, which
// breaks ties. Lists by id alone leave Key at 0.
type position struct {
	Key int64  `json:"k"`
	ID  string `json:"i"`
}

// cursor is a position together with a fingerprint of the list that it belongs
// to. Its JSON, in base64, is what clients see.
type cursor struct {
	position
	List string `json:"l"`
}

// pageFields are the fields of a query that say which page is wanted, and as of when, and
// not of which list.
var pageFields = []string{"Limit", "Offset", "Cursor", "WantTotal", "Now"}

// listFingerprint returns 12 hexadecimal digits that stand for a list of a kind
// and its whole query but for the page, so that a cursor taken from another list
// is recognised. A filter that is added to the query's type is part of it without
// further work here.
func listFingerprint[Q any](kind string, query Q) string {
	if v := reflect.ValueOf(&query).Elem(); v.Kind() == reflect.Struct {
		for _, name := range pageFields {
			if f := v.FieldByName(name); f.IsValid() {
				f.SetZero()
			}
		}
	}
	text, err := json.Marshal(query) // follows pointers, which %+v does not
	if err != nil {
		// A time beyond the year 9999 has no JSON; no query has both pointers and times.
		text = fmt.Appendf(nil, "%+v", query)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s", kind, text))
	return hex.EncodeToString(sum[:6])
}

// encodeCursor returns a position as an opaque text, safe in a URL. It is not
// signed: what a forged one leads to is a page that its client may read anyway.
func encodeCursor(list string, p position) string {
	text, err := json.Marshal(cursor{position: p, List: list})
	if err != nil {
		return "" // a string and a number always encode
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// decodeCursor returns the position of a cursor, nil for "" (the list's
// beginning). A text that is not a cursor, or is one of a list with another
// fingerprint, is invalid_request (Malformed).
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
		return nil, fault.New(fault.Malformed, "invalid_request", "cursor is not one that this API returned. Start again without it.")
	}
	if c.List != list {
		return nil, fault.New(fault.Malformed, "invalid_request", "cursor belongs to a list with other filters. Start again without it.")
	}
	return &c.position, nil
}

// trimPage takes rows that were read with a limit of limit+1. It drops the
// extra row, and returns the cursor behind the page's last row, "" where the
// list ends with it. at says where a row stands.
func trimPage[R any](list string, rows []R, limit int, at func(R) position) (page []R, next string) {
	if len(rows) <= limit {
		return rows, ""
	}
	return rows[:limit], encodeCursor(list, at(rows[limit-1]))
}
