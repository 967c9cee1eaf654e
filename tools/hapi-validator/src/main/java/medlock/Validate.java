package medlock;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.StringJoiner;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/**
 * Reads FHIR R4 resources, a JSON text a line, and prints a JSON array of what HAPI FHIR finds wrong with each, a line each: errors and
 * worse, by the specification's own profiles. Nothing is fetched; of codes in systems that are not in the specification nothing is said.
 */
public final class Validate {
    private Validate() {}

    public static void main(String[] args) throws Exception {
        FhirContext context = FhirContext.forR4();
        ValidationSupportChain support = new ValidationSupportChain(
                new DefaultProfileValidationSupport(context),
                new CommonCodeSystemsTerminologyService(context),
                new InMemoryTerminologyServerValidationSupport(context));
        FhirInstanceValidator instance = new FhirInstanceValidator(support);
        // Profiles of others are named in real records.
        instance.setErrorForUnknownProfiles(false);
        FhirValidator validator = context.newValidator().registerValidatorModule(instance);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            StringJoiner faults = new StringJoiner(",", "[", "]");
            for (var message : validator.validateWithResult(line).getMessages()) {
                // Extensions that stand for an element of R5 are in packages that would have to be fetched.
                boolean isOfR5 = message.getMessage().startsWith("Extension url 'http://hl7.org/fhir/5.0/StructureDefinition/")
                        && message.getMessage().endsWith("is not valid (invalid Version '5.0')");
                // A summary leaves out what constraints speak of, and says so.
                boolean isLeftOut = line.contains("SUBSETTED") && message.getMessage().startsWith("Constraint failed");
                if (!isOfR5 && !isLeftOut && message.getSeverity().compareTo(ResultSeverityEnum.ERROR) >= 0) {
                    faults.add(text(message.getLocationString() + ": " + message.getMessage()));
                }
            }
            out.println(faults);
        }
    }

    private static String text(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ') {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }
}
