package expressions

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"html"
	"reflect"
	"strings"

	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
)

// codeFunctions encode and hash texts for receivers outside. The library does
// not know them, and parses them as calls of a name.
var codeFunctions = map[string]function{
	"urlEncode":  {1, 1, urlEncode},
	"htmlEscape": {1, 1, htmlEscape},
	"base64":     {1, 1, toBase64},
	"sha256":     {1, 2, sha256Of},
	"hmac":       {2, 3, hmacOf},
}

// codeTypes tells the library's checker what codeFunctions take and return.
var codeTypes = conf.FunctionsTable{
	"urlEncode":  typed("urlEncode", reflect.TypeFor[func(string) string]()),
	"htmlEscape": typed("htmlEscape", reflect.TypeFor[func(string) string]()),
	"base64":     typed("base64", reflect.TypeFor[func(string) string]()),
	"sha256":     typed("sha256", reflect.TypeFor[func(string, ...string) string]()),
	"hmac":       typed("hmac", reflect.TypeFor[func(string, string, ...string) string]()),
}

// typed returns a function of the library that has a signature and cannot be
// called.
func typed(name string, signature reflect.Type) *builtin.Function {
	return &builtin.Function{Name: name, Types: []reflect.Type{signature}}
}

// urlEncode is urlEncode(text): it percent-encodes all bytes but the unreserved
// characters of RFC 3986, section 2.3; a space is %20.
func urlEncode(e *evaluation, a []any) (any, *Error) {
	s, err := e.stringArg(a[0])
	if err != nil {
		return nil, err
	}
	// Measured first: nothing is built that is not paid for.
	size := len(s)
	for i := range len(s) {
		if !unreserved(s[i]) {
			size += 2
		}
	}
	if err := e.grow(size); err != nil {
		return nil, err
	}
	out := make([]byte, 0, size)
	for i := range len(s) {
		const digits = "0123456789ABCDEF"
		if c := s[i]; unreserved(c) {
			out = append(out, c)
		} else {
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(out), nil
}

// unreserved reports whether a byte is an unreserved character of RFC 3986.
func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// htmlEscape is htmlEscape(text), which makes a text safe between tags and
// inside quoted attributes. It pays for at most one byte per < and > more than
// is built.
func htmlEscape(e *evaluation, a []any) (any, *Error) {
	s, err := e.stringArg(a[0])
	if err != nil {
		return nil, err
	}
	size := len(s)
	for i := range len(s) {
		// The longest escapes, &amp; and &#39;, have five bytes.
		if strings.IndexByte(`&<>"'`, s[i]) >= 0 {
			size += 4
		}
	}
	if err := e.grow(size); err != nil {
		return nil, err
	}
	return html.EscapeString(s), nil
}

// sha256Of is sha256(text) in lower-case hex, or sha256(text, "base64").
func sha256Of(e *evaluation, a []any) (any, *Error) {
	s, err := e.hashed(a[0])
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(s))
	return e.digest(sum[:], a[1:])
}

// hmacOf is HMAC-SHA256 (RFC 2104) in lower-case hex: hmac(text, key), or
// hmac(text, key, "base64").
func hmacOf(e *evaluation, a []any) (any, *Error) {
	s, err := e.hashed(a[0])
	if err != nil {
		return nil, err
	}
	// The key is hashed as well where it is longer than a block.
	key, err := e.hashed(a[1])
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(s))
	return e.digest(mac.Sum(nil), a[2:])
}

// hashed is stringArg for what is hashed, which costs more than reading it: one
// unit of fuel per 64 bytes, a block of SHA-256.
func (e *evaluation) hashed(v any) (string, *Error) {
	s, err := e.stringArg(v)
	if err != nil {
		return "", err
	}
	return s, e.spend(1 + len(s)/64)
}

// digest writes a hash in the form that the optional last argument names: hex,
// or base64 with padding. Another form has CodeFailed.
func (e *evaluation) digest(sum []byte, form []any) (any, *Error) {
	// Without a last argument.
	how := "hex"
	if len(form) > 0 {
		var err *Error
		if how, err = e.stringArg(form[0]); err != nil {
			return nil, err
		}
	}
	switch how {
	case "hex":
		return e.builtString(hex.EncodeToString(sum))
	case "base64":
		return e.builtString(base64.StdEncoding.EncodeToString(sum))
	}
	return nil, fail(CodeFailed, "a hash is written as hex or as base64")
}
