// Package exactjson reads, writes and compares JSON (RFC 8259) without changing
// a value on the way: numbers keep their digits, text is escaped in one form,
// and the same value is always the same bytes. encoding/json serves where Go
// types are encoded and decoded; this package serves where JSON itself is the
// data.
//
//   - Canonical form: Append, AppendString and Object. Keys are in the order of
//     their bytes, there is no white space, numbers are as written, and only what
//     RFC 8259 requires is escaped. Hashes of stored definitions cover this form,
//     so it must never change by a byte.
//   - Equality of decoded values: Equal as written, EqualByValue by the value of
//     numbers (1.0 is 1).
//   - Numbers: IsNumber is the grammar, TooLarge the bound, Decimal exact
//     comparison without arithmetic.
//   - Reading without decoding: Scanner walks the tokens of a text and Parts the
//     members of one object or the elements of one list; DeeperThan is the bound
//     of nesting.
//   - JSON pointers (RFC 6901): Pointer and EscapeToken.
//
// Decoded values are those of encoding/json with numbers as json.Number: nil,
// bool, json.Number, string, []any and map[string]any. Decode makes them.
//
// The readers here take text that is known to be valid, and end at the end of any
// other; a text from outside, with places for its mistakes, is read by
// definitions/source. All functions may be called concurrently and keep none of
// their arguments; Scanner, Parts and Object belong to one goroutine.
package exactjson
