/** Says hello. */
public class Greeting {
    static String greeting(String name) {
        return "hello, " + name;
    }

    public static void main(String[] arguments) {
        System.out.println(greeting("sandbox"));
    }
}
