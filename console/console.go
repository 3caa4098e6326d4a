// Package console serves the console: a single page that is built from console/web, embedded
// in the binary, and speaks to the API of the server that it came from.
package console

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// prefixes are the first segments of the paths that are screens; "" is the overview.
// console/web/src/routes.ts has the same ones, which a test compares.
var prefixes = map[string]bool{
	"": true, "login": true, "workflows": true, "runs": true, "approvals": true, "schedules": true, "templates": true,
	"agents": true, "secrets": true, "access": true, "audit": true, "system": true,
}

// asset is a file of the build.
type asset struct {
	kind  string // Content-Type
	plain []byte
	// zip returns the same compressed, nil where that is not smaller. It is compressed when
	// it is first asked for: a server starts sooner, and few ever serve all files.
	zip  func() []byte
	etag string
}

// Console answers GET and HEAD of the screens' paths and of the built files. It is safe
// for concurrent use.
type Console struct {
	page   string
	assets map[string]asset // by path, without the leading slash
}

// New reads the embedded build. It panics if that is not whole, which a test would have
// found.
func New() *Console {
	h := &Console{assets: map[string]asset{}}
	root, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err)
	}
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		if name == "index.html" {
			h.page = string(content)
			return nil
		}
		h.assets[name] = newAsset(name, content)
		return nil
	})
	if err != nil || !strings.Contains(h.page, nonceMark) || !strings.Contains(h.page, baseMark) {
		panic(fmt.Sprintf("console/dist is not a build of console/web: %v", err))
	}
	return h
}

// The marks that the build leaves in index.html, for each answer's own values.
const (
	nonceMark = "__NONCE__"
	baseMark  = "__BASE__"
)

func newAsset(name string, content []byte) asset {
	sum := sha256.Sum256(content)
	return asset{
		kind: mime.TypeByExtension(path.Ext(name)), plain: content, etag: `"` + hex.EncodeToString(sum[:8]) + `"`,
		zip: sync.OnceValue(func() []byte { return smaller(content) }),
	}
}

// smaller returns content compressed with gzip, nil where that is not smaller.
func smaller(content []byte) []byte {
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression) // the level is a valid one
	_, _ = w.Write(content)                                    // a buffer takes everything
	_ = w.Close()
	if packed.Len() >= len(content) {
		return nil
	}
	return packed.Bytes()
}

// Serve answers a request that is the console's, and reports whether it was.
func (h *Console) Serve(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if a, ok := h.assets[name]; ok {
		serveAsset(w, r, name, a)
		return true
	}
	first, _, _ := strings.Cut(name, "/")
	if !prefixes[first] || first == "" && name != "" {
		return false
	}
	h.servePage(w, r, strings.Count(name, "/"))
	return true
}

// serveAsset answers a built file. The names of those in assets/ hold a hash of their
// content, so that they never change.
func serveAsset(w http.ResponseWriter, r *http.Request, name string, a asset) {
	head := w.Header()
	head.Set("Content-Type", a.kind)
	head.Set("ETag", a.etag)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Vary", "Accept-Encoding")
	head.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") {
		head.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if hasTag(r.Header.Get("If-None-Match"), a.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	content := a.plain
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		if zip := a.zip(); zip != nil {
			head.Set("Content-Encoding", "gzip")
			content = zip
		}
	}
	head.Set("Content-Length", fmt.Sprint(len(content)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(content) // the client is gone
	}
}

// hasTag reports whether an If-None-Match names the tag (RFC 9110, 13.1.2), weak or strong: a
// proxy that compresses makes it weak.
func hasTag(list, etag string) bool {
	for tag := range strings.SplitSeq(list, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// takesGzip reports whether an Accept-Encoding names gzip without refusing it.
func takesGzip(list string) bool {
	for coding := range strings.SplitSeq(list, ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q, weighed := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
			return !weighed || strings.Trim(q, "0.") != ""
		}
	}
	return false
}

// servePage answers the page of all screens. Its base is relative to the depth of the
// path, so that it holds behind any prefix that a proxy takes off.
func (h *Console) servePage(w http.ResponseWriter, r *http.Request, depth int) {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	nonce := base64.RawStdEncoding.EncodeToString(random[:])
	base := "./"
	if depth > 0 {
		base = strings.Repeat("../", depth)
	}
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "same-origin")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-"+nonce+"'; img-src 'self' data:; font-src 'self'; "+
		"connect-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'")
	page := strings.NewReplacer(nonceMark, nonce, baseMark, base).Replace(h.page)
	head.Set("Content-Length", fmt.Sprint(len(page)))
	if r.Method == http.MethodGet {
		// The client is gone. Of the request the page has nothing but its path's depth.
		_, _ = w.Write([]byte(page)) //nolint:gosec // the build's text, with a nonce and a base that are made here
	}
}
