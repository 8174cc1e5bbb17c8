//! A text as a QR code, drawn as SVG within the page: no picture is fetched, and no script draws it.

use std::fmt;

use qrcodegen::{QrCode, QrCodeEcc};

/// Light modules around the code, by which a camera finds it.
const BORDER: i32 = 4;

/// The picture as HTML; nothing of the text stands in it. Dark on light in every theme: cameras read no other.
pub struct QrHtml {
    code: QrCode,
    label: &'static str,
}

/// `None`: the text is too long for one.
pub fn qr(text: &str, label: &'static str) -> Option<QrHtml> {
    Some(QrHtml { code: QrCode::encode_text(text, QrCodeEcc::Medium).ok()?, label })
}

impl fmt::Display for QrHtml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, side) = (&self.code, self.code.size() + 2 * BORDER);
        write!(
            f,
            r##"<svg class="qr" role="img" aria-label="{}" viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#000" d=""##,
            self.label
        )?;
        for y in 0..code.size() {
            for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
                write!(f, "M{} {}h1v1h-1z", x + BORDER, y + BORDER)?;
            }
        }
        f.write_str(r#""/></svg>"#)
    }
}

// Numbers, and a label of ours.
impl askama::filters::HtmlSafe for QrHtml {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_numbers_only_and_has_its_corners() {
        let drawn = qr("otpauth://totp/<b>", "QR code").unwrap().to_string();
        assert!(drawn.starts_with("<svg class=\"qr\" role=\"img\" aria-label=\"QR code\"") && !drawn.contains("<b>"));
        for corner in ["M4 4h1v1h-1z", "M10 4h1v1h-1z", "M4 10h1v1h-1z"] {
            assert!(drawn.contains(corner), "{corner}");
        }
        assert!(qr(&"x".repeat(5000), "").is_none());
    }
}
