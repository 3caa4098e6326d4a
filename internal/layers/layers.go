// Package layers states which package may import what, and finds the packages
// that do otherwise. Its tests run over `go list`: a package that is not in the
// table, a row of the table without a package, and an import that the table does
// not allow each fail the build. docs/ARCHITECTURE.md has the same list of
// packages, with what each is for; a test compares the two.
//
// It knows import paths alone, never the code behind them.
package layers

import (
	"fmt"
	"slices"
	"strings"
)

// Module is the path that Heddle's own packages begin with.
const Module = "heddle"

// Package is what `go list -json` reports of one package. The imports are full
// paths; those of tests are apart, because tests may import more.
type Package struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// Check returns every violation of the table as a sentence, in the order of the
// packages; none if the packages comply. It sorts the packages' imports.
func Check(packages []Package) []string {
	var violations []string
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, Module+"/")
		r, listed := table[name]
		if !listed {
			violations = append(violations, fmt.Sprintf("%s is not listed: give it a row in internal/layers and in docs/ARCHITECTURE.md", name))
			continue
		}
		violations = append(violations, r.check(name, p.Imports, false)...)
		tests := append(slices.Clone(p.TestImports), p.XTestImports...)
		violations = append(violations, r.check(name, tests, true)...)
	}
	return violations
}

// check returns the violations among the imports of one package, or of its tests.
func (r rule) check(name string, imports []string, test bool) []string {
	var violations []string
	slices.Sort(imports)
	for _, path := range slices.Compact(imports) {
		if reason := r.refuse(name, path, test); reason != "" {
			where := name
			if test {
				where += " (its tests)"
			}
			violations = append(violations, fmt.Sprintf("%s imports %s: %s", where, path, reason))
		}
	}
	return violations
}

// refuse returns why the package may not import the path, or "" if it may.
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

// standard reports whether the path is of the standard library: its first
// element then has no dot, unlike a host name.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// within reports whether one of the entries is the path. An entry that ends in
// /... stands for itself and everything below it.
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

// unknown returns the rows of the table that name none of the packages, sorted.
func unknown(packages []Package) []string {
	var rows []string
	for name := range table {
		if !slices.ContainsFunc(packages, func(p Package) bool { return p.ImportPath == Module+"/"+name }) {
			rows = append(rows, name)
		}
	}
	slices.Sort(rows)
	return rows
}
