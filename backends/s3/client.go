package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
)

// ClientOptions say where the storage is and who asks. Zero values mean what the
// environment and the shared configuration of the AWS tools say, or else the defaults.
type ClientOptions struct {
	Region    string // us-east-1 where the store is not Amazon's
	Endpoint  string // URL of a store that is not Amazon's; "": AWS_ENDPOINT_URL and the like decide
	PathStyle bool   // the bucket stands in the path, not in the host name

	// Credentials: these, or else the default chain (environment, shared profile, web
	// identity, container, instance).
	AccessKeyID, SecretAccessKey, SessionToken string
	// AssumeRole, if it has an ARN, is taken on with those credentials.
	AssumeRole AssumeRole

	Proxy  string // URL of an HTTP proxy; "": HTTPS_PROXY and the like decide
	CAFile string // PEM: certificate authorities besides those of the system

	ConnectTimeout time.Duration // DefaultConnectTimeout
	Timeout        time.Duration // without a byte to or from the storage; DefaultTimeout
	MaxRetries     int           // of one request; 0: DefaultMaxRetries, below 0: none

	Checksum string // "auto" (the zero value), "off", or an algorithm; see PutOptions
	Sign     PayloadSigning
}

// AssumeRole is a role of AWS STS.
type AssumeRole struct {
	ARN         string
	ExternalID  string
	SessionName string // "ftpgate"
}

// PayloadSigning says whether the content of uploads is hashed with SHA-256 and
// signed. That costs more processor time than all else in an upload. What protects
// the content otherwise is TLS, and the checksum where there is one.
type PayloadSigning uint8

// When the content of uploads is signed.
const (
	SignWithoutTLS PayloadSigning = iota // over plain HTTP, where nothing else protects it, unless the store is on this machine
	SignNever                            // not even there: for a network that is trusted
)

const (
	DefaultConnectTimeout = 10 * time.Second
	DefaultTimeout        = 60 * time.Second
	DefaultMaxRetries     = 4
	defaultRegion         = "us-east-1"

	// maxBackoff bounds the pause before a retry: a client is waiting for its reply.
	maxBackoff = 5 * time.Second
	// idleConnections are kept open to one store. Sixteen sessions of eight requests each need so many.
	idleConnections = 128
	// Of a connection: a small object and its headers go into one write and come in one
	// read. What is larger passes by these buffers.
	writeBuffer = 16 << 10
	readBuffer  = 32 << 10
)

// errCredentials: none were found, or they could not be renewed.
var errCredentials = errors.New("no credentials")

// NewClient makes a client for a Backend. It reads files and the environment, and makes
// no request; credentials are looked for when the first request needs them.
func NewClient(o ClientOptions) (*sdk.Client, error) {
	transport, err := o.transport()
	if err != nil {
		return nil, err
	}
	load := []func(*config.LoadOptions) error{
		config.WithHTTPClient(transport),
		config.WithRetryer(o.retryer),
		config.WithLogger(logging.Nop{}), // nil would be standard error
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.AccessKeyID != "" {
		load = append(load, config.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, o.SessionToken)))
	}
	c, err := config.LoadDefaultConfig(context.Background(), load...) // it has nothing to wait for
	if err != nil {
		return nil, fmt.Errorf("s3: the configuration of the AWS tools cannot be used: %w", err)
	}
	noRegion := c.Region == ""
	if noRegion {
		c.Region = defaultRegion
	}
	if r := o.AssumeRole; r.ARN != "" {
		c.Credentials = aws.NewCredentialsCache(r.provider(c))
	}
	c.Credentials = named{c.Credentials}
	client := sdk.NewFromConfig(c, o.apply)
	if noRegion && Endpoint(client) == "" {
		return nil, errors.New("s3: no region: set region, or AWS_REGION")
	}
	return client, nil
}

// Endpoint is the URL that a client asks: the one of its options, or the one that the
// environment or the shared configuration names; "" is Amazon's.
func Endpoint(client *sdk.Client) string { return aws.ToString(client.Options().BaseEndpoint) }

// apply sets what only S3 knows.
func (o ClientOptions) apply(s *sdk.Options) {
	if o.Endpoint != "" {
		s.BaseEndpoint = &o.Endpoint // AWS_ENDPOINT_URL_S3 or a profile would be preferred to that of the configuration
	}
	s.UsePathStyle = o.PathStyle
	// Unlike what the AWS tools are asked to do by variables, this one is ours to say.
	s.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenSupported
	s.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenSupported
	if ChecksumOf(o.Checksum, aws.ToString(s.BaseEndpoint)) == "" {
		s.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		s.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	}
	s.DisableLogOutputChecksumValidationSkipped = true
	if o.Sign == SignNever || onThisMachine(aws.ToString(s.BaseEndpoint)) {
		s.APIOptions = append(s.APIOptions, leaveUnsigned)
	}
}

// ChecksumOf is the algorithm of PutOptions for a setting of ClientOptions.Checksum, "" for none.
func ChecksumOf(setting, endpoint string) string {
	switch {
	case setting == "off", isAuto(setting) && !isAmazon(endpoint):
		return ""
	case isAuto(setting):
		return string(types.ChecksumAlgorithmCrc32)
	}
	return setting
}

func isAuto(checksum string) bool { return checksum == "" || checksum == "auto" }

// isAmazon reports whether an endpoint is one of AWS, which knows every checksum.
// Stores like it may refuse what they do not know.
func isAmazon(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	host := u.Hostname()
	return endpoint == "" || strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn")
}

// onThisMachine reports whether nobody is on the way to an endpoint who could change what
// is sent.
func onThisMachine(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && isLoopback(u.Hostname())
}

// isLoopback reports whether a host is this machine by its name or address.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}

// leaveUnsigned makes requests say that their content is not signed.
func leaveUnsigned(s *middleware.Stack) error {
	return s.Build.Add(middleware.BuildMiddlewareFunc("ftpgate.UnsignedPayload",
		func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
			return next.HandleBuild(v4.SetPayloadHash(ctx, "UNSIGNED-PAYLOAD"), in)
		}), middleware.After)
}

// retryer repeats what failed on the way or was refused for now. There is no quota of
// retries over all sessions: one that waits is better than one that fails.
func (o ClientOptions) retryer() aws.Retryer {
	return retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts = max(orDefault(o.MaxRetries, DefaultMaxRetries), 0) + 1
		s.MaxBackoff = maxBackoff
		s.RateLimiter = ratelimit.None
		s.Retryables = append(s.Retryables, retry.IsErrorRetryableFunc(cutShort))
	})
}

// cutShort: half a listing is asked for again. The body of an object is not the SDK's to retry.
func cutShort(err error) aws.Ternary {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// provider takes on the role with the credentials of c.
func (r AssumeRole) provider(c aws.Config) aws.CredentialsProvider {
	c.BaseEndpoint = nil // the endpoint is that of the storage
	return stscreds.NewAssumeRoleProvider(sts.NewFromConfig(c), r.ARN, func(p *stscreds.AssumeRoleOptions) {
		p.RoleSessionName = "ftpgate"
		if r.SessionName != "" {
			p.RoleSessionName = r.SessionName
		}
		if r.ExternalID != "" {
			p.ExternalID = &r.ExternalID
		}
	})
}

// named marks the errors of a credentials provider.
type named struct{ aws.CredentialsProvider }

func (n named) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := n.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		err = fmt.Errorf("%w: %w", errCredentials, err)
	}
	return c, err
}
