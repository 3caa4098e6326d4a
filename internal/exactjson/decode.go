package exactjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// ErrTrailing is the error of a text that goes on behind its first value.
var ErrTrailing = errors.New("there is more text after the end of the JSON value")

// Decode decodes one JSON value that fills the text, as json.Unmarshal does, with
// numbers of any as json.Number. Errors: those of encoding/json, and ErrTrailing,
// where into is set.
func Decode(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return err
	}
	// The decoder stops behind the first value.
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return ErrTrailing
	}
	return nil
}

// Unquote returns the text of a JSON string, which must be valid. One without escapes is
// copied without encoding/json.
func Unquote(quoted []byte) string {
	if last := len(quoted) - 1; last > 0 && bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1:last])
	}
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return ""
	}
	return text
}
