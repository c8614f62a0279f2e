//! Says hello.

fn greeting(name: &str) -> String {
    format!("hello, {name}")
}

fn main() {
    println!("{}", greeting("sandbox"));
}

#[cfg(test)]
mod tests {
    use super::greeting;

    #[test]
    fn it_names_who_is_greeted() {
        assert_eq!(greeting("you"), "hello, you");
    }
}
