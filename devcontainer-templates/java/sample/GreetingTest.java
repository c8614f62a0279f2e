public class GreetingTest {
    public static void main(String[] arguments) {
        String said = Greeting.greeting("you");
        if (!said.equals("hello, you")) {
            throw new AssertionError(said);
        }
        System.out.println("ok");
    }
}
