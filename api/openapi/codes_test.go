package openapi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"heddle/api/core"
	"heddle/fault"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// kindNamed finds a kind by its name in the source.
func kindNamed() map[string]fault.Kind {
	return map[string]fault.Kind{
		"Internal": fault.Internal, "Malformed": fault.Malformed, "Unauthenticated": fault.Unauthenticated, "Denied": fault.Denied,
		"NotFound": fault.NotFound, "Conflict": fault.Conflict, "Precondition": fault.Precondition, "TooLarge": fault.TooLarge,
		"UnsupportedMedia": fault.UnsupportedMedia, "Unacceptable": fault.Unacceptable, "TooMany": fault.TooMany, "Unavailable": fault.Unavailable, "TooSlow": fault.TooSlow,
	}
}

// inside are codes that no answer carries: the code that receives them handles them.
func inside() []string {
	return []string{
		"run_name_taken",                                // the instances dialect words it
		"idempotency_key_taken",                         // the kept answer is sent
		"run_moved",                                     // the command is looked up and repeated
		"key_taken",                                     // of 20 random bytes
		"run_name_taken",                                // a dialect with names has its own code
		"invalid_bootstrap_key", "egress_allow_invalid", // settings, at the start
		"definition_broken", "invalid_patch", "syntax", "limit_exceeded", // of definitions that were validated
	}
}

// kindless are codes whose status no kind has: their routes set it.
func kindless() []string {
	return []string{
		"method_not_allowed", "range_not_satisfiable",
		"headers_too_large", "expectation_failed", "transfer_encoding_unknown", "http_version_unsupported", // what net/http refuses
	}
}

// Every error that the product's source makes has its line in the table of
// codes, and so in the OpenAPI document, with the status of its kind.
func TestEveryErrorOfTheSourceIsInTheTable(t *testing.T) {
	status := map[string]int{}
	for _, c := range Codes() {
		status[c.Code] = c.status
	}
	found := 0
	for _, made := range faultsOf(t, "../..") {
		found++
		switch want, known := status[made.code]; {
		case made.kind == "Internal": // is answered as internal
		case !known && !slices.Contains(inside(), made.code):
			t.Errorf("%s: the code %s is in no table", made.at, made.code)
		case known && want != core.StatusOf(kindNamed()[made.kind]) && !slices.Contains(kindless(), made.code):
			t.Errorf("%s: %s is fault.%s, and %d in the table", made.at, made.code, made.kind, want)
		}
	}
	if found < 100 {
		t.Errorf("only %d errors were found", found)
	}
}

type madeFault struct{ at, kind, code string }

// faultsOf lists the calls of fault.New and fault.Wrap whose kind and code are
// written out, but for those of the command line.
func faultsOf(t *testing.T, root string) (all []madeFault) {
	t.Helper()
	files := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "storetest") || strings.HasPrefix(path, "../../cmd") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if kind, code, ok := readFault(call); ok {
					all = append(all, madeFault{files.Position(call.Pos()).String(), kind, code})
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func readFault(call *ast.CallExpr) (kind, code string, ok bool) {
	f, isSelector := call.Fun.(*ast.SelectorExpr)
	if !isSelector {
		return "", "", false
	}
	args := call.Args
	switch pkg, _ := f.X.(*ast.Ident); {
	case pkg == nil || pkg.Name != "fault":
		return "", "", false
	case f.Sel.Name == "Wrap" && len(args) > 2:
		args = args[1:]
	case f.Sel.Name != "New" || len(args) < 2:
		return "", "", false
	}
	k, isKind := args[0].(*ast.SelectorExpr)
	c, isText := args[1].(*ast.BasicLit)
	if !isKind || !isText {
		return "", "", false
	}
	code, err := strconv.Unquote(c.Value)
	return k.Sel.Name, code, err == nil
}
