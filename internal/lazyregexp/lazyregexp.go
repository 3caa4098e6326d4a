// Package lazyregexp compiles regular expressions when they are first used. A
// program that has hundreds of them in package variables would otherwise compile
// all of them at each start, for a version or a help text too.
//
// Files import it under the name regexp: what stands in package variables is
// written as with the standard library. In tests patterns are compiled at once,
// so that a wrong one is seen. All methods may be used concurrently.
package lazyregexp

import (
	"os"
	"regexp"
	"strings"
	"sync"
)

// Regexp is a regular expression that is compiled when it is first used.
type Regexp struct {
	pattern string
	compile func() *regexp.Regexp
}

// MustCompile returns an expression of a valid pattern. Using one of a wrong
// pattern panics.
func MustCompile(pattern string) *Regexp {
	r := &Regexp{pattern: pattern, compile: sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })}
	if inTest {
		r.compile()
	}
	return r
}

var inTest = len(os.Args) > 0 && strings.HasSuffix(os.Args[0], ".test")

// String returns the pattern.
func (r *Regexp) String() string { return r.pattern }

// Match is as in the standard library.
func (r *Regexp) Match(b []byte) bool { return r.compile().Match(b) }

// MatchString is as in the standard library.
func (r *Regexp) MatchString(s string) bool { return r.compile().MatchString(s) }

// FindString is as in the standard library.
func (r *Regexp) FindString(s string) string { return r.compile().FindString(s) }

// FindStringSubmatch is as in the standard library.
func (r *Regexp) FindStringSubmatch(s string) []string { return r.compile().FindStringSubmatch(s) }

// FindStringSubmatchIndex is as in the standard library.
func (r *Regexp) FindStringSubmatchIndex(s string) []int {
	return r.compile().FindStringSubmatchIndex(s)
}

// FindAllStringSubmatchIndex is as in the standard library.
func (r *Regexp) FindAllStringSubmatchIndex(s string, n int) [][]int {
	return r.compile().FindAllStringSubmatchIndex(s, n)
}

// ExpandString is as in the standard library.
func (r *Regexp) ExpandString(dst []byte, template, src string, match []int) []byte {
	return r.compile().ExpandString(dst, template, src, match)
}

// ReplaceAllString is as in the standard library.
func (r *Regexp) ReplaceAllString(src, repl string) string {
	return r.compile().ReplaceAllString(src, repl)
}

// ReplaceAllStringFunc is as in the standard library.
func (r *Regexp) ReplaceAllStringFunc(src string, repl func(string) string) string {
	return r.compile().ReplaceAllStringFunc(src, repl)
}
