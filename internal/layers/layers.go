// Package layers says which package may import what, and finds those that do
// otherwise. Its test runs over `go list`, so a package that is not in the
// table, or an import that the table does not give, fails the build.
package layers

import (
	"fmt"
	"slices"
	"strings"
)

// Module is the path that the house's own packages begin with.
const Module = "heddle"

// Package is what `go list -json` tells of one.
type Package struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// Check lists every breach of the table, in the order of the packages.
func Check(packages []Package) []string {
	var breaches []string
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, Module+"/")
		r, listed := table[name]
		if !listed {
			breaches = append(breaches, fmt.Sprintf("%s is not listed: give it a place in internal/layers and in docs/ARCHITECTURE.md", name))
			continue
		}
		breaches = append(breaches, r.check(name, p.Imports, false)...)
		tests := append(slices.Clone(p.TestImports), p.XTestImports...)
		breaches = append(breaches, r.check(name, tests, true)...)
	}
	return breaches
}

func (r rule) check(name string, imports []string, test bool) []string {
	var breaches []string
	slices.Sort(imports)
	for _, path := range slices.Compact(imports) {
		if reason := r.refuse(name, path, test); reason != "" {
			where := name
			if test {
				where += " (its tests)"
			}
			breaches = append(breaches, fmt.Sprintf("%s imports %s: %s", where, path, reason))
		}
	}
	return breaches
}

// refuse says why the import is not allowed, or "".
func (r rule) refuse(name, path string, test bool) string {
	switch own, isOwn := strings.CutPrefix(path, Module+"/"); {
	case isOwn:
		if own == name || r.everything || within(r.own, own) || test && (within(inTests, path) || within(r.testOwn, own)) {
			return ""
		}
		return "the layers do not run this way"
	case standard(path):
		if !test && within(r.noStandard, path) {
			return "this layer does without it"
		}
		return ""
	default:
		if within(r.external, path) || test && (within(inTests, path) || within(r.testExternal, path)) {
			return ""
		}
		return "this dependency has no place here"
	}
}

// standard tells a package of the standard library: its first element has no
// dot, as a host name has.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// within tells whether one of the entries is the path; an entry that ends in
// /... stands for itself and everything below.
func within(entries []string, path string) bool {
	for _, e := range entries {
		if base, tree := strings.CutSuffix(e, "/..."); tree {
			if path == base || strings.HasPrefix(path, base+"/") {
				return true
			}
		} else if e == path {
			return true
		}
	}
	return false
}
