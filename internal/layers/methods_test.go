package layers

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// maxMethods is how many methods a type may have. One with more is several
// things under one name.
const maxMethods = 40

// manyMethods are the types that may have more, and why.
var manyMethods = map[string]string{
	"store.DB": "it fits the Store of every feature: one method per transaction",
}

func TestNoTypeHasTooManyMethods(t *testing.T) {
	counts := methods(t, root)
	if counts["expressions.evaluation"] < 10 {
		t.Fatalf("the methods were not found: %d types", len(counts))
	}
	for name, n := range counts {
		if _, excepted := manyMethods[name]; n > maxMethods && !excepted {
			t.Errorf("%s has %d methods; at most %d: what does it do that could be a type of its own?", name, n, maxMethods)
		}
	}
	for name := range manyMethods {
		if counts[name] <= maxMethods {
			t.Errorf("%s has %d methods and needs no exception", name, counts[name])
		}
	}
}

// methods returns the number of declared methods by type (package.Type) of all
// Go files below dir that are not tests. Files for all systems and tags count.
func methods(t *testing.T, dir string) map[string]int {
	t.Helper()
	counts, files := map[string]int{}, token.NewFileSet()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(dir, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv != nil {
				counts[filepath.ToSlash(folder)+"."+receiver(f.Recv.List[0].Type)]++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// receiver returns the name of a receiver's type, without * and type parameters.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
