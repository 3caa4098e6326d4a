package core

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// gzipFrom is the size in bytes from which an answer of JSON is compressed: a smaller one fits in
// a packet either way.
const gzipFrom = 1 << 10

// gzipWriters are compressors that are not in use: each has buffers of hundreds of KiB.
var gzipWriters = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant of the package
	}
	return w
}}

// packed returns text compressed with gzip, at the fastest level.
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

// isJSON reports whether answers of this media type are compressed. Streams and large values are
// not: they are sent as they come.
func isJSON(media string) bool {
	return media == "application/json" || media == "application/schema+json"
}

// acceptsGzip reports whether the client takes gzip, by Accept-Encoding (RFC 9110, section
// 12.5.3): where it is named, or * is, with a weight above 0 and not below identity's. Without
// the header nothing is compressed.
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

// weight returns the number of "q=0.5", from 0 to 1; 1 without it, false for what is not a
// weight.
func weight(params string) (float64, bool) {
	params = strings.TrimSpace(params)
	if params == "" {
		return 1, true
	}
	name, value, _ := strings.Cut(params, "=")
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	return q, err == nil && strings.EqualFold(strings.TrimSpace(name), "q") && q >= 0 && q <= 1
}

// FixedText is an answer that never changes, with its compressed form, so that requests without a
// key cost no compression. packed is nil where compressing failed.
type FixedText struct {
	media        string
	text, packed []byte
}

// NewFixedText compresses text once for all requests. text must not be changed afterwards.
func NewFixedText(media string, text []byte) FixedText {
	f := FixedText{media: media, text: text}
	f.packed, _ = packed(text) // a buffer takes all; without it the text is sent as it is
	return f
}
