//! What lies under an error of another library.

use std::error::Error;

/// Why an encrypted connection is not to be trusted, where that is what went wrong.
pub fn distrust(error: &(dyn Error + 'static)) -> Option<&'static str> {
    use rustls::{CertificateError as Cert, Error as Tls};
    Some(match find::<Tls>(error)? {
        Tls::InvalidCertificate(Cert::NotValidForName | Cert::NotValidForNameContext { .. }) => {
            "its certificate is for another name"
        }
        Tls::InvalidCertificate(Cert::Expired | Cert::ExpiredContext { .. }) => "its certificate has expired",
        Tls::InvalidCertificate(Cert::UnknownIssuer) => "its certificate is not signed by anyone this server trusts",
        Tls::InvalidCertificate(_) => "its certificate is not valid",
        Tls::InvalidMessage(_) => "it does not use TLS there",
        _ => "it offers no encryption that this server accepts",
    })
}

/// The first cause of type `T` in an error's chain; looks inside I/O errors too, which hide theirs.
pub fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}
