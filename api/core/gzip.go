package core

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// gzipFrom is how many bytes an answer of JSON has, at least, that is compressed.
const gzipFrom = 1 << 10

var gzipWriters = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant of the package
	}
	return w
}}

// packed compresses a text.
func packed(text []byte) ([]byte, error) {
	w, _ := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(w)
	var b bytes.Buffer
	b.Grow(len(text) / 4)
	w.Reset(&b)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}

// isJSON reports whether answers of this media type are compressed.
func isJSON(media string) bool {
	return media == "application/json" || media == "application/schema+json"
}

// acceptsGzip reads Accept-Encoding (RFC 9110, section 12.5.3): gzip is taken
// where it is named, or * is, with a weight above 0 and not below identity's.
// Without the header nothing is compressed.
func acceptsGzip(r *http.Request) bool {
	weights := map[string]float64{}
	for _, value := range r.Header["Accept-Encoding"] {
		for item := range strings.SplitSeq(value, ",") {
			coding, params, _ := strings.Cut(item, ";")
			coding = strings.ToLower(strings.TrimSpace(coding))
			if coding == "x-gzip" {
				coding = "gzip"
			}
			if q, ok := weight(params); ok && coding != "" {
				weights[coding] = q
			}
		}
	}
	q, named := weights["gzip"]
	if !named {
		q = weights["*"]
	}
	return q > 0 && q >= weights["identity"]
}

// weight reads "q=0.5"; 1 without it, false for what is none.
func weight(params string) (float64, bool) {
	params = strings.TrimSpace(params)
	if params == "" {
		return 1, true
	}
	name, value, _ := strings.Cut(params, "=")
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	return q, err == nil && strings.EqualFold(strings.TrimSpace(name), "q") && q >= 0 && q <= 1
}

// FixedText is an answer that never changes, with its compressed form, so that
// requests without a key cost no compression.
type FixedText struct {
	media        string
	text, packed []byte
}

// NewFixedText compresses text once and for all requests.
func NewFixedText(media string, text []byte) FixedText {
	f := FixedText{media: media, text: text}
	f.packed, _ = packed(text) // a buffer takes all; without it the text is sent as it is
	return f
}
