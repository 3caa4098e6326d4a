package validation_test

import (
	"context"
	"errors"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/steps"
	"strings"
	"testing"
)

// Validation ends with its request: once that is over, no further expression of the
// definition is checked.
func TestValidationEndsWithItsRequest(t *testing.T) {
	var list strings.Builder
	for i := range 2_000 {
		fmt.Fprintf(&list, `,{"id":"s%[1]d","type":"script","if":"[1,2,3] == input.a%[1]d%[2]s","config":{"script":"x"}}`, i, strings.Repeat(" or input.b in [1,2,3]", 5))
	}
	doc, found := parser.Parse([]byte(`{"name":"n","steps":[`+list.String()[1:]+`]}`), source.JSON)
	s := workflows.NewService(workflows.ServiceConfig{Catalog: steps.Default(steps.Deps{})})
	written := parser.ParsedDefinition{Document: doc, Found: found}
	whole := allocated(func() {
		if all, err := s.ValidateFor(t.Context(), "t", written); err != nil || len(all) > 0 {
			t.Errorf("%v, %v of a request that stays", all, err)
		}
	})
	gone, leave := context.WithCancel(t.Context())
	leave()
	rest := allocated(func() {
		if all, err := s.ValidateFor(gone, "t", written); !errors.Is(err, context.Canceled) || all != nil {
			t.Errorf("%v with %d diagnostics, want context.Canceled", err, len(all))
		}
	})
	if rest > whole/3 {
		t.Errorf("%d KiB are taken after the request has ended, %d KiB by the whole validation", rest>>10, whole>>10)
	}
}
