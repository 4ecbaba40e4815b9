package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// secret marks values that came from the environment or a file. Marks spread to
// whatever is made of a value, and no diagnostic quotes a marked one.
type secret struct{}

// functions are what expressions of a file in dir may call. What they return is
// secret; their errors name an argument only if it is not.
func (l *loader) functions(dir string) map[string]function.Function {
	text := func(name string) function.Parameter {
		return function.Parameter{Name: name, Type: cty.String, AllowMarked: true}
	}
	otherwise := text("default")
	return map[string]function.Function{
		// env(name, default): the environment variable. One that is set and empty is set.
		"env": function.New(&function.Spec{
			Params:   []function.Parameter{text("name")},
			VarParam: &otherwise,
			Type:     function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				if len(args) > 2 {
					return cty.DynamicVal, errors.New("it takes a name and a default")
				}
				name, shown := argument(args[0])
				if v, ok := l.machine.getenv(name); ok {
					return entrusted(v), nil
				}
				if len(args) == 2 {
					return args[1], nil
				}
				return cty.DynamicVal, &callError{"the variable", shown, "is not set; set it, or give a default after a comma"}
			},
		}),
		// file(path): the file's text without line ends at its end; relative to the configuration file.
		"file": function.New(&function.Spec{
			Params: []function.Parameter{text("path")},
			Type:   function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				name, shown := argument(args[0])
				if !filepath.IsAbs(name) {
					name = filepath.Join(dir, name)
				}
				b, err := readFile(name)
				if err != nil {
					return cty.DynamicVal, &callError{"the file", shown, "cannot be read: " + withoutPath(err).Error()}
				}
				return entrusted(strings.TrimRight(string(b), "\r\n")), nil
			},
		}),
	}
}

// argument returns a function's argument, and how an error may name it.
func argument(v cty.Value) (text, shown string) {
	bare, marks := v.Unmark()
	text = bare.AsString()
	if len(marks) == 0 {
		shown = fmt.Sprintf(" %q", clip(text))
	}
	return text, shown
}

// callError says why a function failed. shown is its argument, or empty.
type callError struct{ what, shown, reason string }

func (e *callError) Error() string { return e.what + e.shown + " " + e.reason }

// unnamed is the error where not even the argument may be shown.
func (e *callError) unnamed() string { return e.what + " " + e.reason }

// failedCall returns why one of our functions failed, if d is about that.
func failedCall(d *hcl.Diagnostic) *callError {
	x, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d)
	if !ok {
		return nil
	}
	e, _ := errors.AsType[*callError](x.FunctionCallError())
	return e
}

// entrusted is a secret value. HCL knows no bytes that are not UTF-8.
func entrusted(s string) cty.Value {
	return cty.StringVal(strings.ToValidUTF8(s, "\uFFFD")).Mark(secret{})
}

// evalContext is what expressions of the file may use; user is the value of
// user.name, or "" where there is no user.
func (l *loader) evalContext(file, user string) *hcl.EvalContext {
	c := &hcl.EvalContext{Functions: l.functions(filepath.Dir(file))}
	if user != "" {
		c.Variables = map[string]cty.Value{
			"user": cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(user)}),
		}
	}
	return c
}

// dependsOnUser reports whether an expression in the body mentions user.
func dependsOnUser(b *hclsyntax.Body) bool {
	for _, a := range b.Attributes {
		for _, v := range a.Expr.Variables() {
			if v.RootName() == "user" {
				return true
			}
		}
	}
	for _, inner := range b.Blocks {
		if dependsOnUser(inner.Body) {
			return true
		}
	}
	return false
}

// misplaced reports variables that cannot be used in an expression, in words
// that say where they can.
func (s *section) misplaced(e hclsyntax.Expression) bool {
	found := false
	for _, v := range e.Variables() {
		switch root := v.RootName(); {
		case root == "user" && s.vars.Variables == nil:
			s.l.errorAt(v.SourceRange(), "There is no user here", "user.name can be used in backend, user and anonymous blocks.")
			found = true
		case root == "backend":
			s.l.errorAt(v.SourceRange(), "A backend is not a value", "Only filesystem can refer to a backend.")
			found = true
		}
	}
	return found
}
