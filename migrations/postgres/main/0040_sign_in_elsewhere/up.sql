-- Where members sign in besides here, by OpenID Connect: the one row. The secret is sealed.
CREATE TABLE sign_in_elsewhere (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    sealed_secret TEXT NOT NULL,
    label TEXT NOT NULL,
    set_at BIGINT NOT NULL
);
