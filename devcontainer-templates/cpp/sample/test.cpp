#include <iostream>

#include "greeting.hpp"

int main() {
    if (greeting("you") != "hello, you") {
        std::cerr << greeting("you") << '\n';
        return 1;
    }
    std::cout << "ok\n";
}
