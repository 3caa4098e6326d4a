package store

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A page whose order is left to the database may show the same rows each time and hide the others:
// whatever is limited is ordered, unless it is one row or is only counted.
func TestWhatIsLimitedIsOrdered(t *testing.T) {
	t.Parallel()
	files := token.NewFileSet()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range entries {
		if !goSource(e) {
			continue
		}
		file, err := parser.ParseFile(files, e.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			text, of := textOf(n), "a statement"
			if call, is := n.(*ast.CallExpr); is && selector(call) == "Limit" {
				text, of = chain(call), "a query"
			}
			if !limits(text) {
				return true
			}
			found++
			if !ordered(text) {
				t.Errorf("%s: %s limits rows without an order: %s", files.Position(n.Pos()), of, text)
			}
			return text == "" // its parts are in it
		})
	}
	if found < 30 {
		t.Errorf("only %d limits were found", found)
	}
}

// The check finds what it is for.
func TestAnUnorderedLimitIsFound(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"SELECT id FROM runs LIMIT ?":                                   false,
		"SELECT id FROM runs ORDER BY id LIMIT ?":                       true,
		"SELECT id FROM runs LIMIT 1":                                   true,
		"SELECT count(*) FROM (SELECT 1 FROM runs LIMIT ?) AS q":        true,
		"SELECT (SELECT 1 FROM a ORDER BY b LIMIT 1) FROM runs LIMIT ?": false,
	} {
		if ordered(text) != want {
			t.Errorf("%s: ordered %t", text, !want)
		}
	}
}

func goSource(e fs.DirEntry) bool {
	return strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go")
}

func limits(text string) bool { return strings.Contains(text, "LIMIT ") }

// ordered reports whether each LIMIT of a statement has its ORDER BY, is 1, or bounds what is only
// counted.
func ordered(text string) bool {
	parts := strings.Split(text, "LIMIT ")
	for i, before := range parts[:len(parts)-1] {
		one := strings.HasPrefix(parts[i+1], "1") && !strings.HasPrefix(parts[i+1], "10")
		if !one && !strings.Contains(before, "ORDER BY") && !strings.Contains(strings.Join(parts[:i+1], ""), "count(*) FROM (SELECT 1") {
			return false
		}
	}
	return true
}

// textOf is the text of a string literal or of several joined by +; what is not written out is "…".
func textOf(n ast.Node) string {
	switch n := n.(type) {
	case *ast.BasicLit:
		if n.Kind == token.STRING {
			text, _ := strconv.Unquote(n.Value)
			return text
		}
	case *ast.BinaryExpr:
		if n.Op == token.ADD {
			return orElse(textOf(n.X)) + orElse(textOf(n.Y))
		}
	}
	return ""
}

func orElse(text string) string {
	if text == "" {
		return "…"
	}
	return text
}

func selector(call *ast.CallExpr) string {
	if s, is := call.Fun.(*ast.SelectorExpr); is {
		return s.Sel.Name
	}
	return ""
}

// chain words a chain of calls that ends with Limit as a statement.
func chain(call *ast.CallExpr) string {
	limit := "?"
	if lit, is := call.Args[0].(*ast.BasicLit); is {
		limit = lit.Value
	}
	var names []string
	ast.Inspect(call, func(n ast.Node) bool {
		if c, is := n.(*ast.CallExpr); is {
			if id, is := c.Fun.(*ast.Ident); is {
				names = append(names, id.Name)
			}
			names = append(names, selector(c))
		}
		return true
	})
	if slices.Contains(names, "Order") || slices.Contains(names, "newestFirst") {
		return "ORDER BY LIMIT " + limit
	}
	return "LIMIT " + limit
}
