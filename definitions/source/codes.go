package source

// Code is the stable word for one kind of finding. docs/diagnostics.md has an
// entry for each.
type Code string

// The codes.
const (
	Syntax             Code = "syntax"
	DuplicateKey       Code = "duplicate_key"
	LimitExceeded      Code = "limit_exceeded"
	UnknownField       Code = "unknown_field"
	MissingField       Code = "missing_field"
	WrongType          Code = "wrong_type"
	InvalidValue       Code = "invalid_value"
	DuplicateStepID    Code = "duplicate_step_id"
	UnknownStepType    Code = "unknown_step_type"
	UnknownDependency  Code = "unknown_dependency"
	SelfDependency     Code = "self_dependency"
	Cycle              Code = "cycle"
	FallbackInvalid    Code = "fallback_invalid"
	BranchNotDependent Code = "branch_not_dependent"
	SchemaInvalid      Code = "schema_invalid"
	UnknownReference   Code = "unknown_reference"
	NotAnAncestor      Code = "not_an_ancestor"
	ExpressionSyntax   Code = "expression_syntax"
	ExpressionType     Code = "expression_type"
	UnreachableStep    Code = "unreachable_step"
	TemplateInScript   Code = "template_in_script"
	NeverChanges       Code = "condition_never_changes"
	ForeignFormat      Code = "foreign_format"
	NeverTrue          Code = "never_true"
	Unexpanded         Code = "unexpanded_text"
	SchemaKeyword      Code = "schema_keyword"
)

// Codes lists every code.
func Codes() []Code {
	return []Code{
		Syntax, DuplicateKey, LimitExceeded, UnknownField, MissingField, WrongType, InvalidValue,
		DuplicateStepID, UnknownStepType, UnknownDependency, SelfDependency, Cycle, FallbackInvalid,
		BranchNotDependent, SchemaInvalid, UnknownReference, NotAnAncestor, ExpressionSyntax,
		ExpressionType, UnreachableStep, TemplateInScript, NeverChanges, ForeignFormat, NeverTrue, Unexpanded, SchemaKeyword,
	}
}
