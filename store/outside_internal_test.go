package store

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A transaction may go on after its caller has had an error (transact), so what
// it finds out travels in its result: a function that runs in one changes no
// variable outside of it and hands out no address of one.
func TestTransactionsChangeNothingOutside(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		found, n := outsideChanges(t, name, string(text))
		seen += n
		for _, at := range found {
			t.Errorf("%s: a variable from outside of the transaction is changed", at)
		}
	}
	if seen < 50 {
		t.Errorf("%d transactions were seen: the test looks for the wrong calls", seen)
	}
}

// The check notices each way of changing something outside.
func TestChangesOutsideAreNoticed(t *testing.T) {
	for body, want := range map[string]int{
		"rows = nil": 1, "page.Next = \"\"": 1, "n++": 1, "_ = tx.Find(&rows)": 1, "list[0] = nil": 1, "_, err = f(tx)": 1,
		"own, err := f(tx); own = err":                  0,
		"var own []row; _ = tx.Find(&own)":              0,
		"for i, v := range list { i++; v = nil }":       0,
		"func(a int) { a++; b := a; b = 2; _ = &b }(1)": 0,
	} {
		text := "package p\nfunc (db *DB) f() {\n var err error\n err = db.update(ctx, func(tx *gorm.DB) error { " + body + "; return nil })\n}"
		if found, n := outsideChanges(t, "p.go", text); len(found) != want || n != 1 {
			t.Errorf("%s: %v in %d transactions, want %d", body, found, n, want)
		}
	}
}

// outsideChanges returns where functions that run in transactions change or
// point to variables that are not declared in them, and how many such functions
// there are.
func outsideChanges(t *testing.T, name, text string) (found []token.Position, transactions int) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || !runsInTransaction(call.Fun) {
			return true
		}
		for _, arg := range call.Args {
			if f, ok := arg.(*ast.FuncLit); ok {
				transactions++
				for _, id := range changedOutside(f) {
					found = append(found, set.Position(id.Pos()))
				}
			}
		}
		return true
	})
	return found, transactions
}

// runsInTransaction reports whether a function of that name runs its argument in
// a transaction.
func runsInTransaction(f ast.Expr) bool {
	name := ""
	switch f := f.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	switch name {
	case "update", "view", "updateResult", "viewResult", "transact", "transaction":
		return true
	}
	return false
}

// changedOutside returns the variables that f assigns to or takes the address of
// without declaring them.
func changedOutside(f *ast.FuncLit) []*ast.Ident {
	own := map[string]bool{"_": true}
	declare := func(list ...ast.Expr) {
		for _, e := range list {
			if id, ok := e.(*ast.Ident); ok {
				own[id.Name] = true
			}
		}
	}
	var changed []*ast.Ident
	change := func(e ast.Expr) {
		if id := variable(e); id != nil && !own[id.Name] {
			changed = append(changed, id)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, id := range n.Names {
				own[id.Name] = true
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				own[id.Name] = true
			}
		case *ast.RangeStmt:
			declare(n.Key, n.Value)
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				if n.Tok == token.DEFINE {
					declare(e)
				} else {
					change(e)
				}
			}
		case *ast.IncDecStmt:
			change(n.X)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				change(n.X)
			}
		}
		return true
	})
	return changed
}

// variable returns the variable of which e is a part; nil: it is none.
func variable(e ast.Expr) *ast.Ident {
	for {
		switch inner := e.(type) {
		case *ast.Ident:
			return inner
		case *ast.SelectorExpr:
			e = inner.X
		case *ast.IndexExpr:
			e = inner.X
		case *ast.ParenExpr:
			e = inner.X
		case *ast.StarExpr:
			e = inner.X
		default:
			return nil
		}
	}
}
