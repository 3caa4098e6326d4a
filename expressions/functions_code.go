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

// codeFunctions write texts for the outside. The library does not know them.
var codeFunctions = map[string]function{
	"urlEncode":  {1, 1, urlEncode},
	"htmlEscape": {1, 1, htmlEscape},
	"base64":     {1, 1, toBase64},
	"sha256":     {1, 2, sha256Of},
	"hmac":       {2, 3, hmacOf},
}

// codeTypes tells the library's checker what they take and return.
var codeTypes = conf.FunctionsTable{
	"urlEncode":  typed("urlEncode", reflect.TypeFor[func(string) string]()),
	"htmlEscape": typed("htmlEscape", reflect.TypeFor[func(string) string]()),
	"base64":     typed("base64", reflect.TypeFor[func(string) string]()),
	"sha256":     typed("sha256", reflect.TypeFor[func(string, ...string) string]()),
	"hmac":       typed("hmac", reflect.TypeFor[func(string, string, ...string) string]()),
}

func typed(name string, signature reflect.Type) *builtin.Function {
	return &builtin.Function{Name: name, Types: []reflect.Type{signature}}
}

// urlEncode percent-encodes all but the unreserved characters of RFC 3986.
func urlEncode(e *evaluation, a []any) (any, *Error) {
	s, err := e.stringArg(a[0])
	if err != nil {
		return nil, err
	}
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

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// htmlEscape makes a text safe between tags and inside quoted attributes.
func htmlEscape(e *evaluation, a []any) (any, *Error) {
	s, err := e.stringArg(a[0])
	if err != nil {
		return nil, err
	}
	size := len(s)
	for i := range len(s) {
		if strings.IndexByte(`&<>"'`, s[i]) >= 0 {
			size += 4
		}
	}
	if err := e.grow(size); err != nil {
		return nil, err
	}
	return html.EscapeString(s), nil
}

// sha256Of is sha256(text) or sha256(text, "base64").
func sha256Of(e *evaluation, a []any) (any, *Error) {
	s, err := e.hashed(a[0])
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(s))
	return e.digest(sum[:], a[1:])
}

// hmacOf is HMAC-SHA256: hmac(text, key) or hmac(text, key, "base64").
func hmacOf(e *evaluation, a []any) (any, *Error) {
	s, err := e.hashed(a[0])
	if err != nil {
		return nil, err
	}
	key, err := e.hashed(a[1])
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(s))
	return e.digest(mac.Sum(nil), a[2:])
}

// hashed is stringArg for what is hashed, which costs more than reading it.
func (e *evaluation) hashed(v any) (string, *Error) {
	s, err := e.stringArg(v)
	if err != nil {
		return "", err
	}
	return s, e.spend(1 + len(s)/64)
}

func (e *evaluation) digest(sum []byte, form []any) (any, *Error) {
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
