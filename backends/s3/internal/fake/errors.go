package fake

import (
	"encoding/xml"
	"fmt"
	"net/http"
)

// apiError is an answer that is an error.
type apiError struct {
	status  int
	code    string
	message string
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s: %s", e.status, e.code, e.message) }

func refuse(status int, code, message string) error { return &apiError{status, code, message} }

// The errors that more than one operation gives.
var (
	errNoSuchKey    = &apiError{http.StatusNotFound, "NoSuchKey", "The specified key does not exist."}
	errNoSuchBucket = &apiError{http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist"}
	errNoSuchUpload = &apiError{http.StatusNotFound, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."}
	errPrecondition = &apiError{http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"}
	errNotModified  = &apiError{http.StatusNotModified, "NotModified", ""}
	errRange        = &apiError{http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable"}
	errInvalidPart  = &apiError{http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."}
	errBadDigest    = &apiError{http.StatusBadRequest, "BadDigest", "The checksum you specified did not match what was calculated from the request."}
	errTooLarge     = &apiError{http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"}
	errMalformed    = &apiError{http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"}
)

type errorBody struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	Resource  string `xml:",omitempty"`
	RequestID string `xml:"RequestId"`
}

func (e *apiError) body(resource, id string) []byte {
	b, err := xml.Marshal(errorBody{Code: e.code, Message: e.message, Resource: resource, RequestID: id})
	if err != nil {
		panic(err) // strings always marshal
	}
	return append([]byte(xml.Header), b...)
}
